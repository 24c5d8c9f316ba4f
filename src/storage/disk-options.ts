import { checkOptions, must, type OptionRule, type OptionRules, trueOrFalse } from "../options.js";

/** How a `DiskStorage` treats what is on the disk. */
export interface DiskStorageOptions {
  /** The permissions of new files; the process' umask takes its part. A front server of another user needs 0o640. (default: 0o600) */
  fileMode?: number;
  /** The permissions of new folders, as for `fileMode`. A front server needs 0o750. (default: 0o700) */
  folderMode?: number;
  /**
   * Whether a file that has more than one name counts as none, where others who may write to the root could link files
   * of theirs into it. Backups that work by hard links make such files, too. (default: false)
   */
  refuseHardLinks?: boolean;
}

/** @throws ConfigurationError for an unknown option, or a wrong one. */
export function checkDiskOptions(options: DiskStorageOptions): void {
  checkOptions("DiskStorage", options, RULES);
}

/** Permissions that make sense: each decimal number that was meant as an octal one has bits that these do not have. */
const RULES: OptionRules<DiskStorageOptions> = {
  fileMode: permissions("that allow the owner to read, and do not allow anyone to execute", /^[46][046]{2}$/, "0o640"),
  folderMode: permissions("that allow the owner to read, write and enter", /^7[0157]{2}$/, "0o750"),
  refuseHardLinks: trueOrFalse,
};

function permissions(what: string, octal: RegExp, example: string): OptionRule {
  const accepts = (value: unknown) => typeof value === "number" && octal.test(value.toString(8));
  return (value, name) =>
    must(`permissions ${what}`, accepts, `${inOctal(value)}Write a number in octal, such as ${example}`)(value, name);
}

function inOctal(value: unknown): string {
  return typeof value === "number" && Number.isInteger(value) ? `In octal that is ${value.toString(8)}. ` : "";
}
