import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { StorageError } from "../../errors.js";
import type { ReadOptions } from "../../storage/storage.js";
import { it, put, type Subject, sha256, text } from "./subject.js";

/** Reads objects, whole and in part. */
export function describeRead(subject: Subject): void {
  const ranges: [ReadOptions, string][] = [
    [{}, "0123456789a"],
    [{ start: 0, end: 0 }, "0"],
    [{ start: 2, end: 4 }, "234"],
    [{ start: 10 }, "a"],
    [{ end: 3 }, "0123"],
    [{ start: 0, end: 10 }, "0123456789a"],
    [{ start: 4, end: 3 }, ""],
  ];
  for (const [options, expected] of ranges) {
    it(`gives exactly the bytes of ${JSON.stringify(options)}`, async () => {
      await put(subject(), "eleven", "0123456789a");
      assert.equal(await text(subject(), "eleven", options), expected);
    });
  }

  for (const options of [{ end: 11 }, { start: 11, end: 12 }, { start: -1 }, { start: 5, end: 2 }, { start: 0.5 }]) {
    it(`fails rather than give other bytes than ${JSON.stringify(options)}`, async () => {
      await put(subject(), "eleven", "0123456789a");
      await assert.rejects(text(subject(), "eleven", options), StorageError);
    });
  }

  it("fails for a key without an object", async () => {
    await assert.rejects(text(subject(), "nothing/here"), StorageError);
  });

  it("gives the object that stat described", async () => {
    await put(subject(), "a", "bytes");
    const of = await subject().stat("a");
    assert.equal(await text(subject(), "a", { of, start: 1, end: 2 }), "yt");
  });

  it("fails when the key holds another object than stat described", async () => {
    await put(subject(), "a", "old bytes");
    const of = await subject().stat("a");
    await subject().delete("a");
    await put(subject(), "a", "new bytes, and more of them");
    await assert.rejects(text(subject(), "a", { of }), StorageError);
  });

  it("can be destroyed midway and before the first byte, again and again", async () => {
    const bytes = randomBytes(1024 * 1024);
    await subject().put("big", Readable.from([bytes]));
    for (let n = 0; n < 20; n++) {
      (await subject().read("big")).destroy();
      for await (const chunk of await subject().read("big")) {
        assert.ok(chunk.length > 0);
        break;
      }
    }
    assert.equal(sha256(await buffer(await subject().read("big"))), sha256(bytes));
  });

  it("fails when its signal is aborted", async () => {
    await subject().put("big", Readable.from([randomBytes(1024 * 1024)]));
    await assert.rejects(text(subject(), "big", { signal: AbortSignal.abort(new Error("gone")) }));
    const controller = new AbortController();
    const stream = await subject().read("big", { signal: controller.signal });
    stream.once("data", () => controller.abort());
    await assert.rejects(buffer(stream));
  });

  it("gives one object to 100 readers at once", async () => {
    await put(subject(), "popular", "bytes".repeat(1000));
    const texts = await Promise.all(Array.from({ length: 100 }, () => text(subject(), "popular")));
    assert.deepEqual(new Set(texts), new Set(["bytes".repeat(1000)]));
  });
}
