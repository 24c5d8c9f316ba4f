import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { ReadOptions, Storage, StoredObject } from "../../storage/storage.js";

/** The storage of the test that is running. */
export type Subject = () => Storage;

/** Writes a text, whose size is announced. */
export function put(storage: Storage, key: string, content: string): Promise<StoredObject> {
  return storage.put(key, bodyOf(content), { size: Buffer.byteLength(content) });
}

/** A text as a body to put. */
export function bodyOf(content: string): Readable {
  return Readable.from(content === "" ? [] : [Buffer.from(content)]);
}

/** All of an object, or a part of it, as text. */
export async function text(storage: Storage, key: string, options?: ReadOptions): Promise<string> {
  return (await buffer(await storage.read(key, options))).toString();
}

/** The keys that the storage lists, sorted. */
export async function keys(storage: Storage, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of storage.list(prefix)) found.push(key);
  return found.sort();
}

/** The digest of bytes that are too many to print when they differ. */
export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
