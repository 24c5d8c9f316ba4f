/** What `--help` shows. */
export const HELP = `Usage: private-files <command> [options]

  sweep   find files that no row names, and rows whose file is gone
  check   look whether storages, tables and rows are as they should be

Options of sweep
  --delete               remove the files that no row names; else it only tells
  --older-than <time>    keep files that are younger: 3600, 90s, 30m, 24h, 7d (default: 24h)
  --prefix <beginning>   all files below belong to private columns, e.g. uploads/; may be repeated
  --force                remove also where no file of a storage is named by any row

Options of check
  --static <folder>      a folder that a web server serves; may be repeated

Options of both
  --verify               read the files of rows that have their digest, and tell which have other bytes
  --config <file>        a module that exports a PrivateFiles
                         (default: ormconfig.js, .mjs or .cjs, or dist/ormconfig.js)
  --json                 print one JSON object a line
  --help, --version

Exit codes
  0  nothing needs attention, or all of it was removed
  1  something was found: files without a row, rows without a file or with another; for check an error
  2  it could not run, or something failed: arguments, configuration, database, storage
  130  interrupted`;
