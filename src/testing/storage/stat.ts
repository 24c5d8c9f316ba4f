import assert from "node:assert/strict";
import { it, put, type Subject } from "./subject.js";

/** Looks at objects. */
export function describeStat(subject: Subject): void {
  it("returns the size and the time that put returned", async () => {
    const { size, modifiedAt } = await put(subject(), "a/b.txt", "bytes");
    const found = await subject().stat("a/b.txt");
    assert.deepEqual([found?.size, found?.modifiedAt], [size, modifiedAt]);
  });

  it("returns undefined for a key without an object", async () => {
    await put(subject(), "a/b", "bytes");
    for (const key of ["x", "a", "a/b/c", "a/bb", "A/c"]) assert.equal(await subject().stat(key), undefined, key);
  });
}
