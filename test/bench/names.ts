// The contestants that the results speak of by name.

/** The package, on a database in its own process. */
export const OURS = "typeorm-private-files, better-sqlite3";
/** The package, on a database server. */
export const OURS_ON_POSTGRES = "typeorm-private-files, PostgreSQL";
/** What the others are compared with: what Koa users send files with. */
export const KOA_SEND = "koa-send";
/** The limit. */
export const NGINX = "nginx";
