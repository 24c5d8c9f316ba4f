import type { EntityMetadata } from "typeorm";
import { writtenParameters, writtenTable } from "../database/statement.js";
import { isOurs } from "../storage/key.js";
import type { Statement } from "./ledger/file-change.js";

/** The tables that have private columns. Other tables may keep keys, as a log does. */
export class PrivateTables {
  readonly #tables: { schema?: string; table: string }[];

  constructor(entities: Iterable<EntityMetadata>) {
    this.#tables = [...new Set(entities)].map(({ schema, tableName }) => ({
      schema: schema?.toLowerCase(),
      table: tableName.toLowerCase(),
    }));
  }

  /** Whether a statement may write one of them. */
  mayBeWrittenBy(sql: string): boolean {
    const written = writtenTable(sql);
    const text = written ? "" : sql.toLowerCase();
    return this.#tables.some(({ schema, table }) =>
      written
        ? written.table === table && (schema === undefined || (written.schema ?? schema) === schema)
        : text.includes(table),
    );
  }
}

/** The keys of this package's objects that a statement writes, into whatever table. */
export function writtenKeys({ sql, parameters, verb }: Statement): string[] {
  return writtenParameters(sql, parameters, verb).filter(isOurKey);
}

function isOurKey(value: unknown): value is string {
  return typeof value === "string" && isOurs(value);
}
