import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { KeyTakenError, StorageError } from "../../errors.js";
import { UploadError } from "../../storage/upload-error.js";
import { it as always, keys, put, type Subject, sha256, text } from "./subject.js";

/** Copies objects, where the storage can do that. */
export function describeCopy(subject: Subject): void {
  const it = (title: string, test: () => Promise<void>) =>
    always(title, (t: TestContext) => (subject().copy ? test() : t.skip("the storage has no copy()")));
  const copy = (from: string, to: string, signal?: AbortSignal) => subject().copy!(from, to, { signal });

  it("makes an object of its own with the same bytes", async () => {
    const bytes = randomBytes(3_000_001);
    await subject().put("a/original", Readable.from([bytes]), { size: bytes.length });
    await copy("a/original", "b/copy");
    assert.equal((await subject().stat("b/copy"))?.size, bytes.length);
    await subject().delete("a/original");
    assert.equal(sha256(await buffer(await subject().read("b/copy"))), sha256(bytes));
    assert.deepEqual(await keys(subject()), ["b/copy"]);
  });

  it("copies an empty object", async () => {
    await put(subject(), "empty", "");
    await copy("empty", "copy");
    assert.equal((await subject().stat("copy"))?.size, 0);
  });

  it("never overwrites, not even the original", async () => {
    await put(subject(), "a", "original");
    await put(subject(), "b", "other");
    for (const to of ["b", "a"]) {
      await assert.rejects(copy("a", to), (error) => error instanceof KeyTakenError && error.key === to);
    }
    assert.deepEqual([await text(subject(), "a"), await text(subject(), "b")], ["original", "other"]);
  });

  it("makes exactly one of 20 copies to one key at once", async () => {
    await put(subject(), "a", "original");
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => copy("a", "b")));
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    assert.equal(await text(subject(), "b"), "original");
  });

  it("fails with a StorageError when there is nothing to copy", async () => {
    await put(subject(), "a/b", "bytes");
    for (const from of ["x", "a", "a/b/c"]) await assert.rejects(copy(from, "to"), StorageError);
    assert.deepEqual(await keys(subject()), ["a/b"]);
  });

  it("fails when it is aborted before it begins, and leaves nothing", async () => {
    await put(subject(), "a", "bytes");
    const reason = new Error("enough");
    await assert.rejects(
      copy("a", "b", AbortSignal.abort(reason)),
      (error) => error instanceof UploadError && error.cause === reason,
    );
    assert.deepEqual(await keys(subject()), ["a"]);
  });
}
