import * as crypto from "node:crypto";
import { pipeline } from "node:stream/promises";
import { StorageError } from "../errors.js";
import { visible } from "../quoted.js";
import type { Storage, StoredObject } from "../storage/storage.js";

/**
 * The SHA-256 digest of an object's bytes, in hexadecimal. No more than a chunk of them is in memory.
 *
 * @throws StorageError when the storage gives another number of bytes than it said.
 */
export async function digestOf(
  storage: Storage,
  key: string,
  object: StoredObject,
  signal?: AbortSignal,
): Promise<string> {
  const hash = crypto.createHash("sha256");
  let size = 0;
  const body = await storage.read(key, { of: object, signal });
  const take = async (chunks: AsyncIterable<Uint8Array>) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.byteLength;
    }
  };
  await pipeline(body, take, { signal });
  if (size === object.size) return hash.digest("hex");
  throw new StorageError(
    `${visible(key)}: its storage gave ${size} bytes of ${object.size}. Look whether the storage works.`,
    key,
  );
}
