import { types } from "node:util";

/** Ignores the rejection of a promise that is not awaited: unhandled, it would end the process. */
export function leaveUnawaited(value: unknown): void {
  if (types.isPromise(value)) value.catch(() => {});
}
