// How numbers are written in the results.

/** Seconds, as µs or ms. */
export function duration(seconds: number): string {
  return seconds < 0.01 ? `${Math.round(seconds * 1e6)} µs` : `${Math.round(seconds * 1e3)} ms`;
}

/** Bytes, as MiB. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** A ratio, or another small number. */
export function decimal(value: number): string {
  return value.toFixed(2);
}

/** A number of things in a second. */
export function rate(perSecond: number): string {
  return perSecond < 100 ? perSecond.toFixed(1) : perSecond.toFixed(0);
}
