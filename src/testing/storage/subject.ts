import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import * as runner from "node:test";
import type { ReadOptions, Storage, StoredObject } from "../../storage/storage.js";

/** The storage of the test that is running. */
export type Subject = () => Storage;

/** How many milliseconds a test may take. */
const TIMEOUT = 60_000;

/** As in `node:test`, except that a test fails after a minute: a storage that waits for ever would hang the run, with no test named. */
export function it(title: string, test: (t: runner.TestContext) => unknown): void {
  runner.it(title, { timeout: TIMEOUT }, async (t) => {
    // The runner's own timer does not keep the process alive, so a storage that waits for nothing would end it.
    const alive = setTimeout(() => {}, TIMEOUT + 1000);
    try {
      await test(t);
    } finally {
      clearTimeout(alive);
    }
  });
}

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
