import type { DownloadError } from "../../errors.js";
import { mistake } from "../download-errors.js";
import { type HookName, hookOf } from "./hook-names.js";

/** The hooks of each class that a warning was emitted for. */
const warned = new WeakMap<object, Set<HookName>>();

/**
 * Looks at what a hook returned, which should be nothing. Outside production, another value is a warning of the process, once for each
 * hook of a class.
 *
 * @throws DownloadError 500 for a `false` of `beforeDownload`, which was probably meant to refuse the download.
 */
export function checkResult(subscriber: object, hook: HookName, result: unknown): void {
  if (result === undefined) return;
  if (hook === "beforeDownload" && result === false) throw returnedFalse(subscriber);
  if (process.env.NODE_ENV !== "production") warnOnce(subscriber, hook, result);
}

function returnedFalse(subscriber: object): DownloadError {
  return mistake(
    `${hookOf(subscriber, "beforeDownload")}: returned false, which does not say why. Throw an error to refuse the download, such as ctx.throw(403), and return nothing.`,
  );
}

function warnOnce(subscriber: object, hook: HookName, result: unknown): void {
  const hooks = warned.get(subscriber.constructor) ?? new Set();
  warned.set(subscriber.constructor, hooks);
  if (hooks.has(hook)) return;
  hooks.add(hook);
  const kind = result === null || typeof result === "boolean" ? String(result) : `a value of type ${typeof result}`;
  process.emitWarning(
    `${hookOf(subscriber, hook)}: returned ${kind}, which has no effect. Return nothing; throw an error in "beforeDownload" to refuse a download.`,
    { type: "PrivateFileWarning", code: "ERR_PRIVATE_FILE_CONFIGURATION" },
  );
}
