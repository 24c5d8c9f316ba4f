import type { Subject } from "./subject.js";
import type { Topic } from "./topics.js";

/** One thing that a server of private files has to do right. */
export interface Case {
  /** The topic that it belongs to. */
  topic: Topic;
  /** What a right server does, as the rest of a sentence that begins with the server. */
  title: string;
  /** Why it can't be asked on this machine. */
  skip?: string | false;
  /** Asks the server. Throws a {@link Deviation} where it does something else. */
  check(subject: Subject): Promise<void>;
}

/** What a server did that is not right. */
export class Deviation extends Error {
  override name = "Deviation";

  /**
   * @param came what came instead, in a word or two: it stands in a table.
   * @param message the same as a sentence.
   */
  constructor(
    readonly came: string,
    message: string = came,
  ) {
    super(message);
  }
}

/** Throws a {@link Deviation} unless something holds. */
export function expectThat(holds: boolean, came: string, message?: string): asserts holds {
  if (!holds) throw new Deviation(came, message);
}

/** Makes a case of each row of a table. */
export function each<Row extends readonly [unknown, ...unknown[]]>(
  topic: Topic,
  rows: readonly Row[],
  title: (row: Row) => string,
  check: (subject: Subject, row: Row) => Promise<void>,
  options: Pick<Case, "skip"> = {},
): Case[] {
  return rows.map((row) => ({
    topic,
    title: title(row),
    check: (subject) => check(subject, row),
    ...options,
  }));
}
