import assert from "node:assert/strict";
import { it, keys, put, type Subject } from "./subject.js";

/** Deletes objects. */
export function describeDelete(subject: Subject): void {
  it("removes this object and no other", async () => {
    for (const key of ["a/b", "a/bc", "a/c/d", "b"]) await put(subject(), key, key);
    await subject().delete("a/b");
    assert.equal(await subject().stat("a/b"), undefined);
    assert.deepEqual(await keys(subject()), ["a/bc", "a/c/d", "b"]);
  });

  it("treats patterns as ordinary names", async () => {
    for (const key of ["a", "b", "[a]", "*", "{a,b}"]) await put(subject(), key, key);
    await subject().delete("*");
    await subject().delete("[a]");
    await subject().delete("{a,b}");
    await subject().delete("?");
    assert.deepEqual(await keys(subject()), ["a", "b"]);
  });

  it("does nothing for an object that is not there", async () => {
    await put(subject(), "a/b", "bytes");
    for (const key of ["x", "x/y/z", "a/c", "a/b/c"]) await subject().delete(key);
    assert.deepEqual(await keys(subject()), ["a/b"]);
  });

  it("works for many keys at once while other keys of the folder are written", async () => {
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await put(subject(), `shared/deep/${n}`, "bytes");
        await Promise.all([subject().delete(`shared/deep/${n}`), put(subject(), `shared/deep/kept-${n}`, "kept")]);
      }),
    );
    assert.equal((await keys(subject(), "shared/")).length, 50);
  });
}
