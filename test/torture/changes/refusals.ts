import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  TransactionNotStartedError,
} from "typeorm";
import { PrivateFileError } from "typeorm-private-files";
import { type Kind, Rollback } from "./change.js";

/** Something happened that must not happen. */
export class Violation extends Error {}

/** How a change ended: `committed`, `rolled back` as it wanted, or the code with which it was refused. */
export type Outcome = string;

/** The database ended a transaction that can be repeated as it is. */
const CONFLICTS = ["40001", "40P01", "ER_LOCK_DEADLOCK", "ER_LOCK_WAIT_TIMEOUT", "ER_CHECKREAD"];
const DUPLICATES = ["23505", "ER_DUP_ENTRY", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"];
/** A shipment was removed before its items were inserted. */
const PARENTLESS = ["23503", "ER_NO_REFERENCED_ROW_2", "SQLITE_CONSTRAINT_FOREIGNKEY"];
/** The server ended the connection. */
const LOST = [
  "57P01",
  "PROTOCOL_CONNECTION_LOST",
  "ER_CONNECTION_KILLED",
  "ER_QUERY_INTERRUPTED",
  "ECONNRESET",
  "EPIPE",
];
/** TypeORM's errors of what is tried on a connection that it has given up. */
const LOST_CLASSES = [
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  TransactionNotStartedError,
];
/** Drivers have no code for what is tried on a connection that is lost. */
const LOST_WORDS = /connection (?:terminated|is in closed state|error and is not queryable)|closed state/i;
/** An entity is stale, because another process was faster. */
const STALE = "ERR_PRIVATE_FILE_OTHER_ROW";
/** A process was held up for longer than an upload had. */
const LATE = "ERR_PRIVATE_FILE_DISCARDED";

/** How a change ended that threw; `undefined` where it must not. */
export function outcomeOf(
  error: unknown,
  { mayFailWith = [], isUnshared = false }: Partial<Kind> = {},
): Outcome | undefined {
  if (error instanceof Rollback) return "rolled back";
  if (isLost(error)) return "connection lost";
  if (error instanceof PrivateFileError) {
    const accepted = [LATE, ...(isUnshared ? [] : [STALE]), ...mayFailWith];
    return accepted.includes(error.code) ? error.code : undefined;
  }
  const isKnown = isConflict(error) || [...DUPLICATES, ...PARENTLESS].includes(codeOf(error));
  return isKnown ? codeOf(error) : undefined;
}

/** Whether a transaction lost against another one. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.includes(codeOf(error)) || codeOf(error).startsWith("SQLITE_BUSY");
}

/** Whether a row has the value already. */
export function isDuplicate(error: unknown): boolean {
  return DUPLICATES.includes(codeOf(error));
}

function isLost(error: unknown): boolean {
  if (LOST_CLASSES.some((kind) => error instanceof kind)) return true;
  return LOST.includes(codeOf(error)) || (error instanceof Error && LOST_WORDS.test(error.message));
}

/** The code of an error of the database or of its driver. */
export function codeOf(error: unknown): string {
  const { code } = (error instanceof QueryFailedError ? error.driverError : (error ?? {})) as { code?: unknown };
  return String(code);
}
