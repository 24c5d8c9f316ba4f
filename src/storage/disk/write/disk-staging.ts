import fs from "node:fs/promises";
import type { Readable } from "node:stream";
import type { StagedUpload, StoredObject } from "../../storage.js";
import { diskError } from "../disk-error.js";
import { createIncomplete, type IncompleteFile, takeIncomplete } from "./disk-incomplete.js";
import { type DiskTarget, filled, publish } from "./disk-write.js";
import { writeGathered } from "./gathered-write.js";

/** Where the bytes of uploads wait for their keys. */
export interface Staging extends Pick<DiskTarget, "root" | "fileMode"> {
  /** Where an object of a key is written. */
  targetOf(key: string): DiskTarget;
}

/** Writes the bytes of an upload to a file that no key leads to yet, and syncs them. */
export async function stageBytes(staging: Staging, bytes: AsyncIterable<Uint8Array>): Promise<StagedUpload> {
  const file = await createIncomplete(staging.root, staging.fileMode);
  return staged(staging, file, () => writeGathered(file.handle, bytes));
}

/** Takes over a file with the bytes of an upload, and syncs them. `undefined` where it can't be done; the file is as it was then. */
export async function stageFile(staging: Staging, path: string): Promise<StagedUpload | undefined> {
  const file = await takeIncomplete(staging.root, path, staging.fileMode);
  return file && staged(staging, file, async () => (await file.handle.stat()).size);
}

async function staged(staging: Staging, file: IncompleteFile, fill: () => Promise<number>): Promise<StagedUpload> {
  try {
    return new StagedFile(file, await filled(file.handle, fill), staging);
  } catch (error) {
    await fs.unlink(file.path).catch(() => {});
    throw error;
  }
}

class StagedFile implements StagedUpload {
  readonly size: number;
  #path: string | undefined;

  constructor(
    { path }: IncompleteFile,
    private readonly stored: StoredObject,
    private readonly staging: Staging,
  ) {
    this.#path = path;
    this.size = stored.size;
  }

  async read(): Promise<Readable> {
    try {
      const handle = await fs.open(this.#path ?? "");
      return handle.createReadStream();
    } catch (error) {
      throw diskError("An upload without a key", "reading it", error);
    }
  }

  async keep(key: string): Promise<StoredObject> {
    const target = this.staging.targetOf(key);
    try {
      await publish(this.#path ?? "", target);
    } catch (error) {
      throw diskError(key, "writing it", error);
    }
    this.#path = undefined;
    return this.stored;
  }

  async discard(): Promise<void> {
    const path = this.#path;
    this.#path = undefined;
    if (path !== undefined) await fs.unlink(path).catch(() => {});
  }
}
