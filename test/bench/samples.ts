import type { Slice } from "./slice.js";
import { median } from "./statistics.js";

/** Which contestant in which scene. */
export interface Subject {
  scene: string;
  contestant: string;
}

/** What a slice of one round found. */
export interface Sample extends Subject {
  round: number;
  slice: Slice;
}

/** A number of a slice. */
export type Metric = keyof Slice;

/** What all rounds found. */
export class Samples {
  constructor(private readonly all: readonly Sample[]) {}

  /** Everyone who was measured in a scene, in the order of the first round. */
  subjectsOf(scene: string): Subject[] {
    const measured = this.all.filter((sample) => sample.scene === scene).map(({ contestant }) => contestant);
    return [...new Set(measured)].map((contestant) => ({ scene, contestant }));
  }

  /** Whether there are any. */
  has(subject: Subject): boolean {
    return this.of(subject).length > 0;
  }

  /** The median over the rounds. */
  median(subject: Subject, metric: Metric): number {
    return median(this.of(subject).map(({ slice }) => slice[metric]));
  }

  /** The greatest of all rounds. */
  most(subject: Subject, metric: Metric): number {
    return Math.max(...this.of(subject).map(({ slice }) => slice[metric]));
  }

  /**
   * How one compares with another: the median of the ratios within each round, as what disturbs a round disturbs both.
   * `undefined` where one of them was not measured.
   */
  ratio(subject: Subject, base: Subject, metric: Metric): number | undefined {
    return this.compare(subject, base, metric, (one, other) => one / other);
  }

  /** How much more one is than another, likewise. */
  difference(subject: Subject, base: Subject, metric: Metric): number | undefined {
    return this.compare(subject, base, metric, (one, other) => one - other);
  }

  private compare(
    subject: Subject,
    base: Subject,
    metric: Metric,
    compared: (one: number, other: number) => number,
  ): number | undefined {
    if (!this.has(subject) || !this.has(base)) return undefined;
    const bases = new Map(this.of(base).map(({ round, slice }) => [round, slice[metric]]));
    return median(this.of(subject).map(({ round, slice }) => compared(slice[metric], bases.get(round)!)));
  }

  private of({ scene, contestant }: Subject): Sample[] {
    return this.all.filter((sample) => sample.scene === scene && sample.contestant === contestant);
  }
}
