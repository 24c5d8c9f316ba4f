import type { Readable } from "node:stream";
import { dataSourceOf } from "../column/data-source.js";
import type { PrivateColumn } from "../column/private-column.js";
import type { AttachedFile } from "../hooks/events.js";
import { callHooks, hasHook } from "../hooks/subscribers.js";
import type { Destination } from "./store.js";

/** Whether a subscriber looks at the uploads to a column. */
export function hasBeforeAttach({ entity }: PrivateColumn): boolean {
  return hasHook("beforeAttach", dataSourceOf(entity), entity);
}

/**
 * Shows an upload to the `beforeAttach` hooks.
 *
 * @throws what a hook throws, and PrivateFileError when one returns `false`.
 */
export async function announceUpload(
  { column, entity }: Destination,
  file: AttachedFile,
  open: () => Promise<Readable>,
): Promise<void> {
  const dataSource = dataSourceOf(column.entity);
  const { manager } = dataSource;
  const { entity: metadata, propertyPath: propertyName } = column;
  await callHooks("beforeAttach", { dataSource, manager, metadata, propertyName, entity, file, open });
}
