import type {
  AfterQueryEvent,
  BeforeQueryEvent,
  EntitySubscriberInterface,
  QueryRunner,
  TransactionCommitEvent,
  TransactionRollbackEvent,
  TransactionStartEvent,
} from "typeorm";
import { noteTransaction } from "../database/committed-reads.js";
import { transactionStatement, verbOf } from "../database/statement.js";
import type { FileChanges } from "./file-changes.js";
import type { FileCleanup } from "./file-cleanup.js";
import { Ledger } from "./ledger.js";

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
  afterStatement(runner: QueryRunner): Promise<void> | undefined {
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
  settle(runner: QueryRunner): Promise<void> | undefined {
    return this.cleanup.settle(this.ledgerOf(runner), runner);
  }
}

/** Follows every statement: what it is about to write, and which transaction it begins or ends. */
export class TransactionSubscriber implements EntitySubscriberInterface {
  constructor(
    private readonly transactions: Transactions,
    private readonly changes: FileChanges,
  ) {}

  beforeTransactionStart({ queryRunner }: TransactionStartEvent): void {
    noteTransaction(queryRunner);
  }

  beforeQuery({ query, parameters, queryRunner }: BeforeQueryEvent): void {
    const verb = verbOf(query);
    const ledger = this.transactions.ledgerOf(queryRunner);
    this.changes.sending(ledger, queryRunner, query, parameters, verb);
    ledger.sending(query, verb);
  }

  afterQuery(event: AfterQueryEvent): Promise<void> | undefined {
    const { query, success, rawResults: raw, error, queryRunner } = event;
    const verb = verbOf(query);
    const ledger = this.transactions.ledgerOf(queryRunner);
    const refusal = this.#note(event, ledger, verb);
    ledger.answered(query, verb, { success, raw, error });
    if (refusal) return Promise.reject(refusal);
    // TypeORM says when it has ended a transaction. Nothing says so of raw SQL, nor of an end that fails.
    if (ledger.isEndedByTypeOrm && success) return undefined;
    if (transactionStatement(query, verb)) return this.#ended(queryRunner);
    if (!success) return this.transactions.settle(queryRunner);
    if (ledger.hasOutcome) setImmediate(() => this.transactions.settle(queryRunner));
    return undefined;
  }

  beforeTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> {
    this.transactions.ledgerOf(queryRunner).isEndedByTypeOrm = true;
    return this.transactions.beforeCommit(queryRunner);
  }

  afterTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> | undefined {
    return this.#ended(queryRunner);
  }

  beforeTransactionRollback({ queryRunner }: TransactionRollbackEvent): Promise<void> | undefined {
    const ledger = this.transactions.ledgerOf(queryRunner);
    ledger.isEndedByTypeOrm = true;
    if (!queryRunner.isReleased) return undefined;
    // The connection is lost: no statement is made any more, and nothing says how the transaction ended.
    ledger.lose();
    return this.#ended(queryRunner);
  }

  afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): Promise<void> | undefined {
    return this.#ended(queryRunner);
  }

  #note(event: AfterQueryEvent, ledger: Ledger, verb: string): unknown {
    const { query, parameters, success, rawResults: raw, error, queryRunner } = event;
    try {
      this.changes.answered(ledger, queryRunner, { query, parameters, success, raw, error, verb });
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #ended(runner: QueryRunner): Promise<void> | undefined {
    this.transactions.ledgerOf(runner).isEndedByTypeOrm = false;
    return this.transactions.settle(runner);
  }
}
