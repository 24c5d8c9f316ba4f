/**
 * Codes of the warnings that the process emits outside production, each once a column, an application or a method.
 *
 * - `PRIVATE_FILE_RULE_RESULT`: a `condition` returned something other than a boolean.
 * - `PRIVATE_FILE_RELATION`: a `condition` names a relation that the entity does not have.
 * - `PRIVATE_FILE_SIGN_IN`: the default rule refused a request in an application that has not signed anybody in so far.
 * - `PRIVATE_FILE_MOUNT_POINT`: `url()` makes links that do not lead to the routes.
 * - `PRIVATE_FILE_HOOK_RESULT`: a hook returned a value, which has no effect.
 */
export type WarningCode =
  | "PRIVATE_FILE_RULE_RESULT"
  | "PRIVATE_FILE_RELATION"
  | "PRIVATE_FILE_SIGN_IN"
  | "PRIVATE_FILE_MOUNT_POINT"
  | "PRIVATE_FILE_HOOK_RESULT";

const emitted = new WeakMap<object, Set<WarningCode>>();

/** Whether mistakes of the application's code are worth a warning: not where `NODE_ENV` is `production`. */
export function warnsOfMistakes(): boolean {
  return process.env.NODE_ENV !== "production";
}

/**
 * Emits a warning of the process, outside production.
 *
 * @param about the column, the application or the method: a second warning of the same code about it is dropped.
 */
export function warnOnce(about: object, code: WarningCode, message: string): void {
  const codes = emitted.get(about) ?? new Set();
  if (!warnsOfMistakes() || codes.has(code)) return;
  emitted.set(about, codes.add(code));
  process.emitWarning(message, { type: "PrivateFileWarning", code });
}
