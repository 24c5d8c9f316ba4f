// How numbers are written in the results.

/** Seconds, as µs or, where there are too many of them, ms. */
export function duration(seconds: number): string {
  return seconds < 0.01 ? `${Math.round(seconds * 1e6)} µs` : `${Math.round(seconds * 1e3)} ms`;
}

/** Seconds, as ms. */
export function milliseconds(seconds: number): string {
  return `${number(seconds * 1e3)} ms`;
}

/** Bytes, as MiB. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** A number, with as many places as say something. */
export function number(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

/** A whole number, its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString("en");
}
