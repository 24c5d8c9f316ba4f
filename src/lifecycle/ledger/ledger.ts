import type { QueryRunner } from "typeorm";
import { dataSourceOf } from "../../column/data-source.js";
import type { FileRecord } from "../../column/private-file.js";
import { isMysql } from "../../database/dialect.js";
import { commitsImplicitly, type TransactionStatement, transactionStatement } from "../../database/statement.js";
import { endedByDeadlock, isAnswer, isInTransaction, isRolledBack } from "../../database/transaction-status.js";
import type { AnsweredStatement, FileChange, Outcome, Statement } from "./file-change.js";
import { Refusal } from "./refusal.js";
import { RowNotes } from "./row-notes.js";
import { WritePermits } from "./write-permits.js";

/** A transaction, or a savepoint in it. The first frame of a ledger is what is outside of both. */
interface Frame {
  name?: string;
  changes: FileChange[];
}

/**
 * The statements of one connection that changed files, in the nested transactions in which they did. It follows the text of
 * every statement that is answered, so it holds for raw `BEGIN`, for anybody's savepoints, and for the one connection that all
 * transactions of SQLite share.
 */
export class Ledger {
  /** How often a transaction or a savepoint began or ended. */
  epoch = 0;
  /** Whether TypeORM is ending the transaction, and says so when it is done. */
  isEndedByTypeOrm = false;
  /** Whether a statement set something for this transaction alone, such as PostgreSQL's search path. */
  hasLocalSettings = false;
  /** What entity events have announced. */
  readonly notes = new RowNotes();
  /** What the next UPDATE may write, before the transaction or a savepoint ends. */
  readonly permits = new WritePermits();
  /** Why the last statement should not have been carried out. */
  readonly refusal = new Refusal();
  /** The change that wrote an upload, for each upload of the open transaction. */
  readonly #writes = new Map<FileRecord, FileChange>();
  #frames: Frame[] = [{ changes: [] }];
  #announced = new Set<FileRecord>();
  #outcome: Outcome | undefined;
  #commitSent = false;

  constructor(
    /** The connection. */
    readonly runner: QueryRunner,
  ) {}

  /** Whether a transaction or a savepoint is open. */
  get isOpen(): boolean {
    return this.#frames.length > 1;
  }

  /** Whether something is known that was not taken yet. */
  get hasOutcome(): boolean {
    return this.#outcome !== undefined;
  }

  /** Outside a transaction, what a statement did is committed. */
  closeStatement(): void {
    const [{ changes }] = this.#frames as [Frame];
    if (!this.isOpen && changes.length + this.#announced.size > 0) this.#end("committed");
  }

  /** All changes of the open transaction. */
  get changes(): FileChange[] {
    return this.#frames.flatMap(({ changes }) => changes);
  }

  /** Notes what a statement did. */
  add(change: FileChange): void {
    this.#frames.at(-1)!.changes.push(change);
    if (change.upload) this.#writes.set(change.upload, change);
  }

  /** Notes an upload that is to be written before the transaction ends. */
  announce(upload: FileRecord): void {
    this.#announced.add(upload);
  }

  /** The change that wrote an upload. */
  find(upload: FileRecord): FileChange | undefined {
    return this.#writes.get(upload);
  }

  /** Takes what is known of ended transactions and was not taken yet. */
  take(): Outcome | undefined {
    const outcome = this.#outcome;
    this.#outcome = undefined;
    return outcome;
  }

  /** Follows a statement that is about to be sent. */
  sending({ sql, verb }: Statement): void {
    if (verb === "COMMIT" || verb === "END") this.#commitSent = true;
    if (this.isOpen && setsLocally(sql, verb)) this.hasLocalSettings = true;
  }

  /** Follows a statement that was answered. */
  answered({ sql, verb, success, raw, error }: AnsweredStatement): void {
    const statement = transactionStatement(sql, verb);
    if (success && statement) this.#follow(statement, raw);
    else if (statement?.kind === "rollback") this.lose();
    else if (!success && endedByDeadlock(error)) this.#end("undone");
    else if (!success && !isAnswer(this.runner, error)) this.#missAnswer(statement);
    this.#compare(verb, success, raw);
    this.closeStatement();
  }

  /** The connection is lost. Without a COMMIT that was sent, the server rolls back. */
  lose(): void {
    this.#end(this.#commitSent ? "unknown" : "undone");
  }

  /** Of a COMMIT, or of a statement outside a transaction. Any other is taken back with its transaction. */
  #missAnswer(statement: TransactionStatement | undefined): void {
    if (!this.isOpen || statement?.kind === "commit") this.#end("unknown");
  }

  #follow(statement: TransactionStatement, raw: unknown): void {
    switch (statement.kind) {
      case "begin":
        this.#begin();
        break;
      case "savepoint":
        this.#push(statement.name);
        break;
      case "release":
        this.#release(statement.name);
        break;
      case "rollbackTo":
        this.#rollBackTo(statement.name);
        break;
      case "commit":
        this.#end(isRolledBack(raw) ? "undone" : "committed");
        break;
      case "rollback":
        this.#end("undone");
    }
  }

  /** MariaDB commits what is open before it begins. PostgreSQL warns that a transaction is open, and goes on with it. */
  #begin(): void {
    if (this.isOpen && !isMysql(dataSourceOf(this.runner))) return;
    if (this.isOpen) this.#end("committed");
    this.#push();
  }

  #push(name?: string): void {
    this.#passEpoch();
    this.#frames.push({ name, changes: [] });
  }

  #passEpoch(): void {
    this.epoch++;
    this.permits.clear();
  }

  #release(name: string): void {
    const index = this.#indexOf(name);
    if (index < 1) return;
    this.#passEpoch();
    const released = this.#frames.splice(index).flatMap(({ changes }) => changes);
    this.#frames.at(-1)!.changes.push(...released);
  }

  #rollBackTo(name: string): void {
    const index = this.#indexOf(name);
    if (index < 1) return;
    this.#passEpoch();
    const undone = this.#frames.splice(index + 1).flatMap(({ changes }) => changes);
    undone.push(...this.#frames[index]!.changes.splice(0));
    for (const { upload } of undone) if (upload) this.#undo(upload);
    this.#over("undone", undone);
  }

  #undo(upload: FileRecord): void {
    this.#writes.delete(upload);
    this.announce(upload);
  }

  #indexOf(name: string): number {
    return this.#frames.findLastIndex((frame) => frame.name === name);
  }

  /** The outermost transaction is over. */
  #end(what: "committed" | "undone" | "unknown"): void {
    if (this.isOpen) {
      this.#passEpoch();
      this.notes.clear();
    }
    const changes = this.#frames.splice(0).flatMap((frame) => frame.changes);
    this.#frames = [{ changes: [] }];
    const hadLocalSettings = this.hasLocalSettings;
    this.#writes.clear();
    this.#commitSent = false;
    this.hasLocalSettings = false;
    if (changes.length === 0 && this.#announced.size === 0) return;
    const outcome = this.#over(what, changes);
    outcome.hadLocalSettings ||= hadLocalSettings;
    for (const upload of this.#announced) outcome.announced.add(upload);
    this.#announced = new Set();
  }

  #over(what: "committed" | "undone" | "unknown", changes: FileChange[]): Outcome {
    this.#outcome ??= { committed: [], undone: [], unknown: [], announced: new Set(), hadLocalSettings: false };
    this.#outcome[what].push(...changes);
    return this.#outcome;
  }

  /** Transactions that no statement was seen to begin or end: `autocommit=0`, DDL, a procedure, SQLite's own rollback. */
  #compare(verb: string, success: boolean, raw: unknown): void {
    const isOpen = isInTransaction(this.runner, raw);
    if (isOpen === true && success && !this.isOpen) {
      const { changes } = this.#frames[0]!;
      this.#frames = [{ changes: [] }];
      this.#push();
      this.#frames[1]!.changes.push(...changes);
    } else if (isOpen === false && this.isOpen) {
      const isUndone = !success || isRolledBack(raw);
      this.#end(isUndone ? "undone" : commitsImplicitly(verb) ? "committed" : "unknown");
    }
  }
}

/** A search of the whole text would cost every SELECT some microseconds. */
function setsLocally(sql: string, verb: string): boolean {
  if (verb === "SET") return /^\W*SET\s+LOCAL\b/i.test(sql);
  return verb === "SELECT" && (sql.includes("set_config") || sql.includes("SET_CONFIG"));
}
