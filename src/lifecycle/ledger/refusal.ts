import { observed } from "../observed.js";

/**
 * The refusal of a statement that was carried out already. TypeORM rejects the statement with it where it waits for `afterQuery`; the MySQL
 * driver of TypeORM 0.3 and better-sqlite3 before 1.1 do not wait, so it is kept for the next event that can fail.
 */
export class Refusal {
  #kept: unknown;

  /** A rejection for TypeORM. The error is kept until something waits for that. */
  reject(error: unknown): Promise<never> {
    this.#kept = error;
    const rejection = observed(Promise.reject(error));
    const then = rejection.then.bind(rejection);
    // biome-ignore lint/suspicious/noThenProperty: it stays a promise.
    rejection.then = (...listeners) => {
      this.#kept = undefined;
      return then(...listeners);
    };
    return rejection;
  }

  /** Forgets the error: the transaction is rolled back, or the statement was not part of one and another is sent. */
  forget(): void {
    this.#kept = undefined;
  }

  /** @throws the error, if it is still kept. It is thrown once. */
  throwIfKept(): void {
    const error = this.#kept;
    this.#kept = undefined;
    if (error !== undefined) throw error;
  }
}
