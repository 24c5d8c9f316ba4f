import { described } from "../../described.js";
import type { DownloadError } from "../../errors.js";
import { warnOnce } from "../../warnings.js";
import { mistake } from "../download-errors.js";
import { type HookName, hookOf } from "./hook-names.js";

/**
 * Looks at what a hook returned, which should be nothing. Outside production, another value is a warning of the process, once for each
 * hook of a class.
 *
 * @param hook the hook's name.
 * @param method the hook.
 * @throws DownloadError 500 for a `false` of `beforeDownload`, which was probably meant to refuse the download.
 */
export function checkResult(subscriber: object, hook: HookName, method: object, result: unknown): void {
  if (result === undefined) return;
  if (hook === "beforeDownload" && result === false) throw returnedFalse(subscriber);
  const value = typeof result === "boolean" ? String(result) : described(result);
  const message = `${hookOf(subscriber, hook)}: returned ${value}, which has no effect. Return nothing; throw an error in "beforeDownload" to refuse a download.`;
  warnOnce(method, "PRIVATE_FILE_HOOK_RESULT", message);
}

function returnedFalse(subscriber: object): DownloadError {
  return mistake(
    `${hookOf(subscriber, "beforeDownload")}: returned false, which does not say why. Throw an error to refuse the download, such as ctx.throw(403), and return nothing.`,
  );
}
