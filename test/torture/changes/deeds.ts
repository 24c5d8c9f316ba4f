import type { EntityManager } from "typeorm";
import { PrivateFileError } from "typeorm-private-files";
import type { Kind, Step } from "./change.js";
import { type Outcome, outcomeOf, Violation } from "./refusals.js";

/** What was done, by the name of its kind, and how it ended. */
export type Deed = [name: string, outcome: Outcome];

/** A change whose uploads are in the storage. */
export interface Prepared {
  kind: Kind;
  step: Step;
}

/** What a change consists of and how each part of it ended, for the figures. */
export class Deeds {
  readonly all: Deed[] = [];

  note(name: string, outcome: Outcome): void {
    this.all.push([name, outcome]);
  }

  /** Notes how something ended that threw. @throws Violation where it must not. */
  noteError(kind: Pick<Kind, "name">, error: unknown): void {
    const outcome = outcomeOf(error, kind);
    if (outcome === undefined) {
      throw new Violation(`${kind.name}: ${error instanceof Error ? error.stack : error}`, { cause: error });
    }
    this.note(kind.name, outcome);
  }

  /** Carries a change out. One that is refused as it must be is done, and its transaction goes on. */
  async carryOut({ kind, step }: Prepared, manager: EntityManager): Promise<void> {
    const outcome = await step(manager).then(
      () => "committed",
      (error: unknown) => {
        if (kind.expects && error instanceof PrivateFileError && error.code === kind.expects) return error.code;
        this.noteError(kind, error);
        throw error;
      },
    );
    if (outcome !== (kind.expects ?? "committed")) throw new Violation(`${kind.name}: it was not refused`);
    this.note(kind.name, outcome);
  }

  /** What was noted since there were so many of them was rolled back. */
  undo(since: number): void {
    for (const deed of this.all.slice(since)) if (deed[1] === "committed") deed[1] = "rolled back";
  }
}
