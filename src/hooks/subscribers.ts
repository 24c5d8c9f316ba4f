import type { DataSource, EntityMetadata } from "typeorm";
import type { PrivateFileSubscriber } from "./events.js";
import type { HookName } from "./hook-names.js";
import { checkResult } from "./hook-result.js";

/** What a hook is told. */
export type EventOf<H extends HookName> = Parameters<NonNullable<PrivateFileSubscriber[H]>>[0];

/**
 * Calls a hook of the subscribers that listen to the event's entity, one after the other.
 *
 * @throws what a hook throws, and PrivateFileError when one that may refuse returns `false`.
 */
export async function callHooks<H extends HookName>(hook: H, event: EventOf<H>): Promise<void> {
  for (const subscriber of listeners(hook, event.dataSource, event.metadata)) {
    const method = subscriber[hook] as (event: EventOf<H>) => unknown;
    checkResult(subscriber, hook, method, await method.call(subscriber, event));
  }
}

/** Whether any subscriber that listens to an entity has a hook. */
export function hasHook(hook: HookName, dataSource: DataSource, metadata: EntityMetadata): boolean {
  return listeners(hook, dataSource, metadata).length > 0;
}

function listeners(hook: HookName, { subscribers }: DataSource, { target }: EntityMetadata): PrivateFileSubscriber[] {
  return (subscribers as PrivateFileSubscriber[]).filter((one) => one[hook] && listens(one, target));
}

/** The rule of TypeORM's Broadcaster. */
function listens(subscriber: PrivateFileSubscriber, target: EntityMetadata["target"]): boolean {
  const wanted = subscriber.listenTo?.();
  return (
    !wanted || wanted === Object || wanted === target || Object.prototype.isPrototypeOf.call(wanted, target as object)
  );
}
