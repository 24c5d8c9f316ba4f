import type { DataSource } from "typeorm";

/** Makes the database refuse what would change invoices, or delete what has invoices, while it is lit. */
export interface Fuse {
  light(): Promise<void>;
  putOut(): Promise<void>;
}

/** Builds a fuse into a database: triggers, so that the statement fails where it really would. */
export async function buildFuse(dataSource: DataSource): Promise<Fuse> {
  const [build, light, putOut] = STATEMENTS[dataSource.options.type] ?? SQLITE;
  const run = async (statements: string[]) => {
    for (const statement of statements) await dataSource.query(statement);
  };
  await run(build);
  return { light: () => run(light), putOut: () => run(putOut) };
}

const WATCHED = [
  ["INSERT", "invoice"],
  ["UPDATE", "invoice"],
  ["DELETE", "invoice"],
  ["DELETE", "folder"],
  ["DELETE", "customer"],
] as const;

type Statements = [build: string[], light: string[], putOut: string[]];

const LIGHT = "INSERT INTO fuse VALUES (1)";
const PUT_OUT = "DELETE FROM fuse";

const SQLITE: Statements = [
  [
    "CREATE TABLE fuse (lit integer)",
    ...WATCHED.map(
      ([action, table]) =>
        `CREATE TRIGGER fuse_${action}_${table} BEFORE ${action} ON ${table} WHEN EXISTS (SELECT 1 FROM fuse)
         BEGIN SELECT RAISE(ABORT, 'The fuse is lit'); END`,
    ),
  ],
  [LIGHT],
  [PUT_OUT],
];

const POSTGRES: Statements = [
  [
    "CREATE TABLE fuse (lit integer)",
    `CREATE FUNCTION burn() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN IF EXISTS (SELECT 1 FROM fuse) THEN RAISE 'The fuse is lit'; END IF; RETURN coalesce(NEW, OLD); END $$`,
    ...WATCHED.map(
      ([action, table]) =>
        `CREATE TRIGGER fuse_${action}_${table} BEFORE ${action} ON ${table} FOR EACH ROW EXECUTE FUNCTION burn()`,
    ),
    "CREATE TRIGGER fuse_truncate BEFORE TRUNCATE ON invoice EXECUTE FUNCTION burn()",
  ],
  [LIGHT],
  [PUT_OUT],
];

const MARIADB: Statements = [
  [
    "CREATE TABLE fuse (lit integer)",
    ...WATCHED.map(
      ([action, table]) =>
        `CREATE TRIGGER fuse_${action}_${table} BEFORE ${action} ON ${table} FOR EACH ROW
         IF EXISTS (SELECT 1 FROM fuse) THEN SIGNAL SQLSTATE '45000'; END IF`,
    ),
  ],
  // A table that another one refers to is not truncated.
  [LIGHT, "CREATE TABLE clip (invoice integer, FOREIGN KEY (invoice) REFERENCES invoice (id))"],
  [PUT_OUT, "DROP TABLE clip"],
];

const STATEMENTS: Partial<Record<DataSource["options"]["type"], Statements>> = { postgres: POSTGRES, mariadb: MARIADB };
