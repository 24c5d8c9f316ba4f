import type { Readable } from "node:stream";
import type { PutOptions, StagedUpload, Storage } from "../storage/storage.js";
import { assertNotAborted } from "../storage/upload-bytes.js";
import { announceUpload, hasBeforeAttach } from "./before-attach.js";
import type { Inspected, Inspection } from "./inspection/inspection.js";
import type { Destination } from "./store.js";

/** Bytes on their way into a storage. */
export interface Incoming {
  /** The bytes. */
  body: Readable;
  /** What is found out about them on their way, if anything is. */
  inspection?: Inspection;
  /** The name that they came with. */
  filename?: string;
  /** Called when all of them were read; may still refuse them. */
  assertWhole?(): void;
}

/**
 * Writes an upload, shows it to the `beforeAttach` hooks, and gives it its key. When anything fails, nothing is left in the storage.
 *
 * @returns what is known of it.
 * @throws UploadError where the inspection refuses it, what a hook throws, and what the storage throws.
 */
export async function putUpload(
  destination: Destination,
  { body, inspection, filename, assertWhole }: Incoming,
  key: string,
  options: PutOptions,
): Promise<Inspected> {
  const { column, storage } = destination;
  const isAnnounced = hasBeforeAttach(column);
  const bytes = inspection?.body(body) ?? body;
  const staging =
    isAnnounced && storage.stage ? storage.stage(bytes, options) : putAtOnce(storage, key, bytes, options);
  const staged = await staging.catch((error: unknown) => {
    throw inspection?.failure ?? error;
  });
  try {
    assertWhole?.();
    const found = inspection?.found ?? { size: staged.size };
    if (isAnnounced)
      await announceUpload(destination, { name: filename ?? "", sha256: "", ...found }, () => staged.read());
    assertNotAborted(options.signal);
    await staged.keep(key);
    return found;
  } catch (error) {
    // What can't be deleted is left to a sweep.
    await staged.discard().catch(() => {});
    throw error;
  }
}

/** For a storage that knows no bytes without a key, and for uploads that nobody looks at. */
async function putAtOnce(storage: Storage, key: string, body: Readable, options: PutOptions): Promise<StagedUpload> {
  const stored = await storage.put(key, body, options);
  return {
    size: stored.size,
    read: () => storage.read(key),
    keep: async () => stored,
    discard: () => storage.delete(key),
  };
}
