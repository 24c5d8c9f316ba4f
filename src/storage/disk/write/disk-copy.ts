import { StorageError } from "../../../errors.js";
import { visible } from "../../../quoted.js";
import { uploadBytes } from "../../upload-bytes.js";
import type { DiskObject } from "../disk-object.js";
import { DiskStream } from "../disk-stream.js";
import { cloneIncomplete } from "./disk-incomplete.js";
import { type DiskTarget, publishing, writeObject } from "./disk-write.js";

/** An object to copy. */
export interface CopySource {
  /** Its key, for messages. */
  key: string;
  /** The object, open. It is closed when the copy is made. */
  object: DiskObject;
  /** Its absolute path. */
  path: string;
}

/**
 * Writes a copy of an object: a clone, which shares its blocks with the original until one of them changes, where the file system has
 * clones (Btrfs, XFS, bcachefs, APFS), else its bytes. Never a second name of the same file.
 *
 * @param ready asked once the copy is whole; may still throw.
 * @throws as {@link writeObject}, and StorageError when the copy is not as long as the original.
 */
export async function copyObject(
  { key, object, path }: CopySource,
  target: DiskTarget,
  ready: () => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const clone = await cloneIncomplete(target.root, object.path ?? path, target.fileMode);
    if (clone) {
      await publishing(clone, target, ready, async () => {
        // On some systems a clone has the time of its original.
        await clone.handle.utimes(new Date(), new Date());
        return sameSize(key, object.size, (await clone.handle.stat()).size);
      });
    } else {
      const bytes = new DiskStream(object, 0, object.size - 1);
      await writeObject(target, uploadBytes(bytes, { size: object.size, signal }), ready);
    }
  } finally {
    await object.close();
  }
}

function sameSize(key: string, expected: number, size: number): number {
  if (size === expected) return size;
  throw new StorageError(`${visible(key)}: its copy has ${size} bytes in place of ${expected}. Copy it again.`, key);
}
