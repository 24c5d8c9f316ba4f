import { type Metric, Samples, type Subject } from "./samples.js";
import type { Slice } from "./slice.js";

/** Samples made up for tests: of each subject, what each round found. What is not named is 1. */
export function samplesOf(...found: [Subject, Partial<Record<Metric, number[]>>][]): Samples {
  return new Samples(
    found.flatMap(([subject, metrics]) => {
      const rounds = Object.values(metrics)[0]!.keys();
      return [...rounds].map((round) => ({ ...subject, round, slice: sliceOf(metrics, round) }));
    }),
  );
}

function sliceOf(metrics: Partial<Record<Metric, number[]>>, round: number): Slice {
  const ones: Slice = { rate: 1, cpuPerRequest: 1, cpuPerGigabyte: 1, p50: 1, p99: 1, peak: 1 };
  return { ...ones, ...Object.fromEntries(Object.entries(metrics).map(([name, values]) => [name, values[round]!])) };
}
