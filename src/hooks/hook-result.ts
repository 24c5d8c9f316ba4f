import { described } from "../described.js";
import { PrivateFileError } from "../errors.js";
import { warnOnce } from "../warnings.js";
import { type HookName, hookOf } from "./hook-names.js";

/** A hook that may refuse returned `false`. */
export class FalseResult extends PrivateFileError {}

/**
 * Looks at what a hook returned, which should be nothing. Outside production, another value is a warning of the process, once for each
 * hook of a class.
 *
 * @param hook the hook's name.
 * @param method the hook.
 * @throws FalseResult for a `false` of `beforeDownload` or `beforeAttach`, which was probably meant to refuse.
 */
export function checkResult(subscriber: object, hook: HookName, method: object, result: unknown): void {
  if (result === undefined) return;
  if (hook.startsWith("before") && result === false) throw returnedFalse(subscriber, hook);
  const value = typeof result === "boolean" ? String(result) : described(result);
  const [refusing, what] = hook === "beforeAttach" ? [hook, "an upload"] : ["beforeDownload", "a download"];
  const message = `${hookOf(subscriber, hook)}: returned ${value}, which has no effect. Return nothing; throw an error in "${refusing}" to refuse ${what}.`;
  warnOnce(method, "PRIVATE_FILE_HOOK_RESULT", message);
}

function returnedFalse(subscriber: object, hook: HookName): FalseResult {
  const what = hook === "beforeAttach" ? "upload" : "download, such as ctx.throw(403)";
  return new FalseResult(
    "ERR_PRIVATE_FILE_FAILED",
    `${hookOf(subscriber, hook)}: returned false, which does not say why. Throw an error to refuse the ${what}, and return nothing.`,
  );
}
