import type {
  EntitySubscriberInterface,
  QueryRunner,
  TransactionCommitEvent,
  TransactionRollbackEvent,
  TransactionStartEvent,
} from "typeorm";
import { noteTransaction } from "../database/committed-reads.js";
import { transactionStatement, verbOf } from "../database/statement.js";
import { PrivateFileError } from "../errors.js";
import type { FailureListener } from "./failed-statements.js";
import type { FileChanges } from "./file-changes.js";
import type { FileCleanup } from "./file-cleanup.js";
import type { AnsweredStatement } from "./ledger/file-change.js";
import { Ledger } from "./ledger/ledger.js";

type Pending = Promise<void> | undefined;

// TypeORM 0.3 gives them a type parameter, TypeORM 1 does not.
type BeforeQuery = Parameters<NonNullable<EntitySubscriberInterface["beforeQuery"]>>[0];
type AfterQuery = Parameters<NonNullable<EntitySubscriberInterface["afterQuery"]>>[0];
type Answer = Pick<AfterQuery, "query" | "parameters" | "success" | "rawResults" | "error" | "queryRunner">;

/** The ledgers of the connections, and when to act on them. */
export class Transactions {
  readonly #ledgers = new WeakMap<QueryRunner, Ledger>();

  constructor(private readonly cleanup: FileCleanup) {}

  /** The ledger of a connection: each query runner has one connection as long as transactions are open. */
  ledgerOf(runner: QueryRunner): Ledger {
    const known = this.#ledgers.get(runner);
    if (known) return known;
    const ledger = new Ledger(runner);
    this.#ledgers.set(runner, ledger);
    return ledger;
  }

  /** Cleans up after a statement of TypeORM's, unless it is part of a transaction. Nothing announces the end of a raw one. */
  afterStatement(runner: QueryRunner): Pending {
    const ledger = this.ledgerOf(runner);
    if (ledger.isOpen) return runner.isTransactionActive ? undefined : this.beforeCommit(runner);
    ledger.closeStatement();
    return this.cleanup.settle(ledger, runner);
  }

  /** Looks at rows before a transaction is committed, where that has to be before. */
  async beforeCommit(runner: QueryRunner): Promise<void> {
    await this.cleanup.beforeCommit(this.ledgerOf(runner), runner);
  }

  /** Cleans up after what ended. */
  settle(runner: QueryRunner): Pending {
    return this.cleanup.settle(this.ledgerOf(runner), runner);
  }
}

/** Follows every statement: what it is about to write, and which transaction it begins or ends. */
export class TransactionSubscriber implements EntitySubscriberInterface {
  /** The errors of statements that TypeORM has told of. */
  readonly #told = new WeakSet<object>();

  constructor(
    private readonly transactions: Transactions,
    private readonly changes: FileChanges,
  ) {}

  beforeTransactionStart({ queryRunner }: TransactionStartEvent): void {
    noteTransaction(queryRunner);
  }

  beforeQuery({ query: sql, parameters, queryRunner }: BeforeQuery): void {
    const ledger = this.transactions.ledgerOf(queryRunner);
    const statement = { sql, parameters, verb: verbOf(sql) };
    if (ledger.isOpen && statement.verb !== "ROLLBACK") ledger.refusal.throwIfKept();
    ledger.refusal.forget();
    this.changes.claims.sending(ledger, statement);
    ledger.sending(statement);
  }

  afterQuery({ query: sql, parameters, success, rawResults, error, queryRunner }: Answer): Pending {
    if (typeof error === "object" && error !== null) this.#told.add(error);
    const ledger = this.transactions.ledgerOf(queryRunner);
    const statement = { sql, parameters, verb: verbOf(sql), success, raw: rawResults, error };
    const refusal = this.#note(ledger, statement);
    ledger.answered(statement);
    if (refusal) return ledger.refusal.reject(refusal);
    // TypeORM says when it has ended a transaction. Nothing says so of raw SQL, nor of an end that fails.
    if (ledger.isEndedByTypeOrm && success) return undefined;
    if (transactionStatement(sql, statement.verb)) return this.#ended(queryRunner);
    if (!success) return this.transactions.settle(queryRunner);
    if (ledger.hasOutcome) setImmediate(() => this.transactions.settle(queryRunner));
    return undefined;
  }

  /** Follows a statement that failed, unless TypeORM has told of it, or it was refused before it was sent. */
  readonly failed: FailureListener = (queryRunner, { query, parameters }, error) => {
    if (error instanceof PrivateFileError || this.#told.has(error as object)) return undefined;
    return this.afterQuery({
      query,
      parameters: parameters as AfterQuery["parameters"],
      success: false,
      error,
      queryRunner,
    });
  };

  beforeTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> {
    const ledger = this.transactions.ledgerOf(queryRunner);
    ledger.refusal.throwIfKept();
    ledger.isEndedByTypeOrm = true;
    return this.transactions.beforeCommit(queryRunner);
  }

  afterTransactionCommit({ queryRunner }: TransactionCommitEvent): Pending {
    return this.#ended(queryRunner);
  }

  beforeTransactionRollback({ queryRunner }: TransactionRollbackEvent): Pending {
    const ledger = this.transactions.ledgerOf(queryRunner);
    ledger.isEndedByTypeOrm = true;
    if (!queryRunner.isReleased) return undefined;
    // The connection is lost: no statement is made any more, and nothing says how the transaction ended.
    ledger.lose();
    return this.#ended(queryRunner);
  }

  afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): Pending {
    return this.#ended(queryRunner);
  }

  #note(ledger: Ledger, statement: AnsweredStatement): unknown {
    try {
      this.changes.answered(ledger, statement);
      return undefined;
    } catch (refusal) {
      return refusal;
    }
  }

  #ended(runner: QueryRunner): Pending {
    this.transactions.ledgerOf(runner).isEndedByTypeOrm = false;
    return this.transactions.settle(runner);
  }
}
