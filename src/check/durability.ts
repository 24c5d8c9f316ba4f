import type { DataSource, QueryRunner } from "typeorm";
import { onPrimary } from "../database/committed-reads.js";
import type { Problem } from "./problem.js";

/** Looks whether the database keeps over a power cut what it has committed: a removed file does not come back. */
export async function checkDurability(dataSource: DataSource): Promise<Problem[]> {
  const { type } = dataSource.options;
  const weakness = await onPrimary(dataSource, (runner) => WEAKNESSES[type]?.(runner) ?? Promise.resolve(undefined));
  if (weakness === undefined) return [];
  const message = `${weakness}, so a power cut may undo commits, and rows may name files again that are gone. Change that setting.`;
  return [{ code: "COMMIT_NOT_SYNCED", severity: "warning", subject: type, message }];
}

/** What weakens a commit, for each type of data source that can be asked. */
const WEAKNESSES: Partial<Record<string, (runner: QueryRunner) => Promise<string | undefined>>> = {
  "better-sqlite3": weaknessOfSqlite,
  postgres: weaknessOfPostgres,
  mysql: weaknessOfMysql,
  mariadb: weaknessOfMysql,
};

/** With a write-ahead log only FULL, which is 2, syncs each commit. */
async function weaknessOfSqlite(runner: QueryRunner): Promise<string | undefined> {
  const [{ journal_mode: journal }] = await runner.query("PRAGMA journal_mode");
  const [{ synchronous }] = await runner.query("PRAGMA synchronous");
  return synchronous < (journal === "wal" ? 2 : 1)
    ? `"synchronous" is ${synchronous} with "journal_mode" ${journal}`
    : undefined;
}

async function weaknessOfPostgres(runner: QueryRunner): Promise<string | undefined> {
  const settings = await runner.query(
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') AND setting = 'off' ORDER BY name",
  );
  return settings.length > 0 ? `"${settings[0].name}" is off` : undefined;
}

async function weaknessOfMysql(runner: QueryRunner): Promise<string | undefined> {
  const [{ setting }] = await runner.query("SELECT @@innodb_flush_log_at_trx_commit AS setting");
  return Number(setting) === 1 ? undefined : `"innodb_flush_log_at_trx_commit" is ${setting}`;
}
