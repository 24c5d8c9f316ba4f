// How numbers are written in the tables.

/** Seconds, as µs, or as ms from 10 ms up. */
export function duration(seconds: number): string {
  return seconds < 0.01 ? `${Math.round(seconds * 1e6)} µs` : `${Math.round(seconds * 1e3)} ms`;
}

/** Bytes, as MiB. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** A number with about three digits. */
export function number(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

/** A whole number, its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString("en");
}
