import { types } from "node:util";

/** Ignores what becomes of a value that nobody awaits: a promise that rejects unheard ends the process. */
export function leaveUnawaited(value: unknown): void {
  if (types.isPromise(value)) value.catch(() => {});
}
