import type { DataSource, ObjectLiteral } from "typeorm";
import { type DenyingStep, tellSubscribers } from "./events.js";
import { eventOf, type Located } from "./request.js";

/**
 * Tells `downloadDenied` hooks of a refusal, without waiting for those who are told, and hands back the error to throw.
 *
 * @param step which step said no.
 * @param entity absent where none was found.
 */
export function denied<E extends { status: number }>(
  dataSource: DataSource,
  located: Located,
  step: DenyingStep,
  error: E,
  entity?: ObjectLiteral,
): E {
  const { ctx } = located;
  const event = { ...eventOf(dataSource, located), entity, step, status: error.status };
  tellSubscribers("downloadDenied", event).catch((cause: Error) => ctx.app.emit("error", cause, ctx));
  return error;
}
