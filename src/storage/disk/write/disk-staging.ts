import fs from "node:fs/promises";
import type { Readable } from "node:stream";
import type { StagedUpload, StoredObject } from "../../storage.js";
import { diskError } from "../disk-error.js";
import { createIncomplete, type IncompleteFile } from "./disk-incomplete.js";
import { type DiskTarget, filled, publish } from "./disk-write.js";
import { writeGathered } from "./gathered-write.js";

/**
 * Writes the bytes of an upload to a file that no key leads to yet, and syncs them.
 *
 * @param targetOf where an object of a key is written.
 */
export async function stageFile(
  { root, fileMode }: Pick<DiskTarget, "root" | "fileMode">,
  bytes: AsyncIterable<Uint8Array>,
  targetOf: (key: string) => DiskTarget,
): Promise<StagedUpload> {
  const file = await createIncomplete(root, fileMode);
  try {
    return new StagedFile(file, await filled(file.handle, () => writeGathered(file.handle, bytes)), targetOf);
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
    private readonly targetOf: (key: string) => DiskTarget,
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
    const target = this.targetOf(key);
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
