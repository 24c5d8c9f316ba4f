/** The middle of some numbers, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}

/** The greatest of some numbers, of the least. */
export function spread(values: readonly number[]): number {
  return Math.max(...values) / Math.min(...values);
}

/**
 * The least of some numbers that at least that share of them does not exceed.
 *
 * @param share more than 0 and at most 1.
 */
export function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1]!;
}
