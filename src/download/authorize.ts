import type { Context } from "koa";
import type { ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import { withinDeadline } from "./deadline.js";
import { warnOfFailure, warnOfRefusal, warnOfSignIn } from "./rule/rule-warnings.js";

/**
 * Asks the column's rule. Only `true` is a yes.
 *
 * @param timeout how many seconds it may take.
 * @throws DownloadError 503 when it takes longer, and whatever the rule throws.
 */
export async function authorize(
  column: PrivateColumn,
  entity: ObjectLiteral,
  ctx: Context,
  timeout: number,
): Promise<boolean> {
  const condition = column.options.condition ?? isSignedIn;
  try {
    const answer: unknown = await withinDeadline(timeout, `${column.subject}: "condition"`, condition(ctx, entity));
    if (answer !== true) warnOfRefusal(column, entity, answer);
    return answer === true;
  } catch (error) {
    warnOfFailure(column, entity, error);
    throw error;
  }
}

/** The default rule. koa-passport brings `isAuthenticated`; other sign-ins set `ctx.state.user`. */
function isSignedIn(ctx: Context): boolean {
  const { isAuthenticated } = ctx as { isAuthenticated?: unknown };
  if (typeof isAuthenticated === "function") return isAuthenticated.call(ctx) === true;
  const isUserSet = Boolean(ctx.state.user);
  warnOfSignIn(ctx, isUserSet);
  return isUserSet;
}
