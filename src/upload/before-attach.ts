import type { Readable } from "node:stream";
import { dataSourceOf } from "../column/data-source.js";
import type { PrivateColumn } from "../column/private-column.js";
import type { AttachedFile } from "../hooks/events.js";
import { callHooks, hasHook } from "../hooks/subscribers.js";
import type { StagedUpload } from "../storage/storage.js";
import type { Destination } from "./store.js";
import { unlessAborted } from "./unless-aborted.js";

/** Whether a subscriber looks at the uploads to a column. */
export function hasBeforeAttach({ entity }: PrivateColumn): boolean {
  return hasHook("beforeAttach", dataSourceOf(entity), entity);
}

/**
 * Shows an upload to the `beforeAttach` hooks.
 *
 * @throws what a hook throws, PrivateFileError when one returns `false`, and UploadError when `signal` is aborted.
 */
export async function announceUpload(
  { column, entity }: Destination,
  staged: StagedUpload,
  file: AttachedFile,
  signal: AbortSignal | undefined,
): Promise<void> {
  const dataSource = dataSourceOf(column.entity);
  const { manager } = dataSource;
  const { entity: metadata, propertyPath: propertyName } = column;
  const streams = new OpenedStreams(staged);
  const open = () => streams.open();
  const event = { dataSource, manager, metadata, propertyName, entity, file, open, signal };
  try {
    await unlessAborted(signal, callHooks("beforeAttach", event));
  } finally {
    await streams.close();
  }
}

/** The streams of hooks. One that is not read to its end would hold a descriptor for ever, and unheard its error would end the process. */
class OpenedStreams {
  private readonly opened: Promise<Readable>[] = [];

  constructor(private readonly staged: StagedUpload) {}

  open(): Promise<Readable> {
    const opening = this.staged.read().then((stream) => stream.on("error", () => {}));
    // A hook need not wait for it.
    opening.catch(() => {});
    this.opened.push(opening);
    return opening;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.opened.map(closed));
  }
}

async function closed(opening: Promise<Readable>): Promise<void> {
  const stream = await opening;
  if (stream.closed) return;
  await new Promise((resolve) => stream.once("close", resolve).destroy());
}
