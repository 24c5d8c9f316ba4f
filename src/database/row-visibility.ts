import type { QueryRunner } from "typeorm";
import { dataSourceOf } from "../column/data-source.js";
import { escapedTable } from "./dialect.js";
import type { KeyColumn } from "./named-keys.js";

/** A table of which a connection may not see all rows. */
export interface PartlyHiddenTable {
  /** Its name. */
  table: string;
  /** The schemas of which each has a table of that name; without them row-level security hides rows of it. */
  schemas?: string[];
}

/**
 * A table of which this connection may not see all rows that belong to the data source; `undefined` where there is none. Only PostgreSQL is
 * asked: of its row-level security, also behind views, which read with the rights of their owner, and for tables without a schema in
 * TypeORM, which the search path chooses. Costs two statements.
 */
export async function partlyHiddenTable(
  runner: QueryRunner,
  columns: KeyColumn[],
): Promise<PartlyHiddenTable | undefined> {
  if (dataSourceOf(runner).options.type !== "postgres") return undefined;
  return (await guardedTable(runner, columns)) ?? (await ambiguousTable(runner, columns));
}

/** As the server decides it (`check_enable_rls`), which tells it of the current role alone. */
async function guardedTable(runner: QueryRunner, columns: KeyColumn[]): Promise<PartlyHiddenTable | undefined> {
  const paths = columns.map(({ entity }) => escapedTable(dataSourceOf(runner), entity));
  const [row] = await runner.query(
    `WITH RECURSIVE used (id, reader) AS (
      SELECT to_regclass(path)::oid, current_user::regrole::oid FROM unnest($1::text[]) AS path
      UNION
      SELECT dependency.refobjid,
          CASE WHEN relkind = 'v' AND coalesce(array_to_string(reloptions, ',') ~* 'security_invoker=(true|on|1)', false)
            THEN reader ELSE relowner END
        FROM used JOIN pg_class ON pg_class.oid = used.id AND relkind IN ('v', 'm')
          JOIN pg_rewrite ON ev_class = used.id
          JOIN pg_depend AS dependency ON dependency.objid = pg_rewrite.oid
            AND dependency.classid = 'pg_rewrite'::regclass AND dependency.refclassid = 'pg_class'::regclass
    )
    SELECT relname AS "table" FROM used JOIN pg_class ON pg_class.oid = used.id JOIN pg_roles ON pg_roles.oid = reader
      WHERE relrowsecurity AND NOT rolsuper AND NOT rolbypassrls
        AND (relforcerowsecurity OR NOT pg_has_role(reader, relowner, 'USAGE')) LIMIT 1`,
    [paths],
  );
  return row;
}

async function ambiguousTable(runner: QueryRunner, columns: KeyColumn[]): Promise<PartlyHiddenTable | undefined> {
  const tables = columns.filter(({ entity }) => !entity.schema).map(({ entity }) => entity.tableName);
  const [row] = await runner.query(
    `SELECT relname AS "table", array_agg(nspname::text ORDER BY nspname) AS schemas
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE relname = ANY($1::text[]) AND relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname <> 'information_schema'
        AND (nspname NOT LIKE 'pg\\_%' OR pg_namespace.oid = pg_my_temp_schema())
      GROUP BY relname HAVING count(*) > 1 LIMIT 1`,
    [tables],
  );
  return row;
}
