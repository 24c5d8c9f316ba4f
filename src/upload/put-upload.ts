import { StorageError } from "../errors.js";
import { shown, visible } from "../quoted.js";
import type { PutOptions, StagedUpload, Storage, StoredObject } from "../storage/storage.js";
import { assertNotAborted, uploadBytes } from "../storage/upload-bytes.js";
import { announceUpload, hasBeforeAttach } from "./before-attach.js";
import type { Inspected } from "./inspection/inspection.js";
import type { Upload } from "./source/upload.js";
import type { Destination } from "./store.js";
import { type ReadingOptions, UploadBody } from "./upload-body.js";

/** Bytes on their way into a storage. */
export interface Incoming extends ReadingOptions {
  /** Where they come from. */
  source: Pick<Upload, "stream" | "request" | "path" | "size">;
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
  incoming: Incoming,
  key: string,
  options: PutOptions,
): Promise<Inspected> {
  const staged = await stageUpload(destination, incoming, options, key);
  return keepUpload(destination, incoming, staged, options, key);
}

/**
 * Shows the bytes of an upload to the `beforeAttach` hooks, and gives them their key. When that fails they are discarded.
 *
 * @returns what is known of the upload.
 */
export async function keepUpload(
  destination: Destination,
  incoming: Incoming,
  staged: StagedUpload,
  options: PutOptions,
  key: string,
): Promise<Inspected> {
  try {
    incoming.assertWhole?.();
    const found = { ...incoming.inspection.found, size: staged.size };
    if (hasBeforeAttach(destination.column)) {
      const file = { name: incoming.filename ?? "", sha256: "", ...found };
      await announceUpload(destination, staged, file, options.signal);
    }
    assertNotAborted(options.signal);
    await staged.keep(key);
    return found;
  } catch (error) {
    await discardUpload(staged);
    throw error;
  }
}

/** What can't be deleted is left to a sweep. */
export async function discardUpload(staged: StagedUpload): Promise<void> {
  await staged.discard().catch(() => {});
}

/**
 * Writes the bytes of an upload into the storage. When that fails, nothing is left there.
 *
 * @param key the key that they will be given. Without it, the storage has to have `stage`.
 */
export async function stageUpload(
  { column, storage }: Destination,
  { source, ...reading }: Incoming,
  putOptions: PutOptions,
  key?: string,
): Promise<StagedUpload> {
  const options = { ...putOptions, size: source.size };
  const taken = source.path === undefined ? undefined : await storage.stageFile?.(source.path);
  if (taken) return inspected(taken, reading, options);
  const body = new UploadBody(source, reading);
  try {
    const isStaged = key === undefined || (hasBeforeAttach(column) && storage.stage);
    const staged = isStaged ? await storage.stage!(body, options) : await putAtOnce(storage, key, body, options);
    return await checked(staged, body, reading, key ?? column.subject, options);
  } catch (error) {
    throw body.failure ?? error;
  } finally {
    body.destroy();
  }
}

/**
 * Sees to it that all bytes were looked at, and written. A storage that knows their number may be done before the stream ends, which is when
 * their type and their digest are known.
 */
async function checked(
  staged: StagedUpload,
  body: UploadBody,
  { inspection }: ReadingOptions,
  subject: string,
  { signal }: PutOptions,
): Promise<StagedUpload> {
  try {
    if (body.readable) for await (const _ of uploadBytes(body, { signal })) break;
    if (body.readableEnded && staged.size === inspection.size) return staged;
    const problem = `the storage wrote ${shown(staged.size)} bytes of ${inspection.size}, or did not read to their end`;
    throw new StorageError(
      `${visible(subject)}: ${problem}. See what its "put" or "stage" returns, and when.`,
      subject,
      {
        cause: body.errored,
      },
    );
  } catch (error) {
    await discardUpload(staged);
    throw error;
  }
}

/** Reads bytes that the storage has already, where something has to be found out about them. */
async function inspected(staged: StagedUpload, reading: ReadingOptions, options: PutOptions): Promise<StagedUpload> {
  if (!reading.inspection.isNeeded) return staged;
  let body: UploadBody | undefined;
  try {
    body = new UploadBody({ stream: await staged.read() }, reading);
    for await (const _ of uploadBytes(body, options));
    return staged;
  } catch (error) {
    await discardUpload(staged);
    throw body?.failure ?? error;
  }
}

/** For a storage that knows no bytes without a key, and for uploads that nobody looks at. */
async function putAtOnce(storage: Storage, key: string, body: UploadBody, options: PutOptions): Promise<StagedUpload> {
  const stored = await storage.put(key, body, options);
  return {
    // Checked by the caller, whatever it is.
    size: (stored as StoredObject | undefined)?.size as number,
    read: () => storage.read(key),
    keep: async () => stored,
    discard: () => storage.delete(key),
  };
}
