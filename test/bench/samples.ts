import type { Slice } from "./slice.js";
import { median } from "./statistics.js";

/** A server in a scene. */
export interface Subject {
  scene: string;
  server: string;
}

/** The figures of one slice. */
export interface Sample extends Subject, Slice {
  round: number;
}

/** The samples of a subject. */
export function samplesOf(samples: readonly Sample[], { scene, server }: Subject): Sample[] {
  return samples.filter((sample) => sample.scene === scene && sample.server === server);
}

/** The median of a figure over the rounds. */
export function medianOf(samples: readonly Sample[], subject: Subject, figure: keyof Slice): number {
  return median(samplesOf(samples, subject).map((sample) => sample[figure]));
}

/**
 * The CPU of one subject as a share of another's: the median of the ratios within each round, as a disturbance in a round
 * disturbs both.
 */
export function cpuRatio(samples: readonly Sample[], subject: Subject, base: Subject): number {
  const bases = new Map(samplesOf(samples, base).map(({ round, cpu }) => [round, cpu]));
  return median(samplesOf(samples, subject).map(({ round, cpu }) => cpu / bases.get(round)!));
}
