import type { QueryRunner } from "typeorm";
import { onPrimary } from "../database/committed-reads.js";
import { type KeyColumn, keyColumns } from "../database/named-keys.js";
import { type PartlyHiddenTable, partlyHiddenTable } from "../database/row-visibility.js";
import { ConfigurationError } from "../errors.js";
import { nestedStorages } from "../storage/nested-storages.js";
import { columnOfAnotherDataSource } from "./other-data-sources.js";
import type { SweepRun } from "./sweep-run.js";

/**
 * Makes sure, as far as can be noticed, that the data source sees every row that may name an object of its storages.
 *
 * @throws ConfigurationError where the data source has no private column, where storages lie inside of each other, where another data source of this process keeps files in the same
 * storage, and where the database hides rows or the session chooses the schema.
 */
export async function assertCertain(run: SweepRun): Promise<void> {
  if (run.storages.columns.length === 0) {
    throw refusal(
      "the data source has no private column, so nothing tells whose files the storage has. Give it the entities",
    );
  }
  const [nested] = nestedStorages(run.storages.storages);
  if (nested) {
    throw refusal(
      `the storage in "${nested.inner}" lies inside of the one in "${nested.outer}". Give each a folder of its own`,
    );
  }
  const other = await columnOfAnotherDataSource(run.dataSource, run.storages);
  if (other) {
    throw refusal(
      `${other.subject} of another data source keeps its files in the same storage, and its rows can't be seen from here. Give each data source a storage of its own`,
    );
  }
  await onPrimary(run.dataSource, (runner) => assertAllVisible(runner, keyColumns(run.storages.columns)));
}

/**
 * Makes sure that a connection sees all rows of some tables.
 *
 * @throws ConfigurationError where row-level security hides some, and where the session chooses between several tables.
 */
export async function assertAllVisible(runner: QueryRunner, columns: KeyColumn[]): Promise<void> {
  const hidden = await partlyHiddenTable(runner, columns);
  if (hidden) throw hiddenRows(hidden);
}

function hiddenRows({ table, schemas }: PartlyHiddenTable): ConfigurationError {
  return schemas
    ? refusal(
        `the schemas ${schemas.join(" and ")} each have a table "${table}", and the entity names none, so the session decides whose files are orphans. Give the entity or the data source a "schema", and each schema a storage of its own`,
      )
    : refusal(
        `row-level security hides rows of "${table}" from this role, so their files would count as orphans. Sweep with a role that sees all rows, such as one with BYPASSRLS`,
      );
}

function refusal(text: string): ConfigurationError {
  return new ConfigurationError(`PrivateFiles.sweep: ${text}.`);
}
