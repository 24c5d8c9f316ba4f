import assert from "node:assert/strict";
import { it, put, type Subject } from "./subject.js";

/** Holds objects open, where the storage can do that. */
export function describeOpen(subject: Subject): void {
  it("returns an object with its size, its time and its bytes", async (t) => {
    if (!subject().open) return t.skip("the storage has no open()");
    const stored = await put(subject(), "a", "0123456789a");
    const object = (await subject().open!("a"))!;
    try {
      assert.deepEqual(
        { size: object.size, modifiedAt: object.modifiedAt },
        { size: 11, modifiedAt: stored.modifiedAt },
      );
      const bytes = new Uint8Array(4);
      assert.equal(await object.read(bytes, 2), 4);
      assert.equal(Buffer.from(bytes).toString(), "2345");
      assert.equal(await object.read(bytes, 9), 2);
      assert.equal(Buffer.from(bytes).toString(), "9a45");
      assert.equal(await object.read(bytes, 11), 0);
      assert.equal(await object.read(bytes, 1000), 0);
    } finally {
      await object.close();
    }
    await object.close();
  });

  it("keeps the size and the bytes after the key was deleted and written again", async (t) => {
    if (!subject().open) return t.skip("the storage has no open()");
    await put(subject(), "a", "old");
    const object = (await subject().open!("a"))!;
    await subject().delete("a");
    await put(subject(), "a", "brand new");
    const bytes = new Uint8Array(10);
    const count = await object.read(bytes, 0);
    await object.close();
    assert.equal(Buffer.from(bytes.subarray(0, count)).toString(), "old");
    assert.equal(object.size, 3);
  });

  it("returns undefined for a key without an object", async (t) => {
    if (!subject().open) return t.skip("the storage has no open()");
    await put(subject(), "a/b", "bytes");
    for (const key of ["x", "a", "a/b/c"]) assert.equal(await subject().open!(key), undefined, key);
  });
}
