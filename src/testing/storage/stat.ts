import assert from "node:assert/strict";
import { it, put, type Subject } from "./subject.js";

/** Looks at objects. */
export function describeStat(subject: Subject): void {
  it("returns what put returned", async () => {
    const stored = await put(subject(), "a/b.txt", "bytes");
    assert.deepEqual(await subject().stat("a/b.txt"), stored);
  });

  it("returns undefined for a key without an object", async () => {
    await put(subject(), "a/b", "bytes");
    for (const key of ["x", "a", "a/b/c", "a/bb", "A/c"]) assert.equal(await subject().stat(key), undefined, key);
  });
}
