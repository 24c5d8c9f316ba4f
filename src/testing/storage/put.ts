import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { KeyTakenError } from "../../errors.js";
import { bodyOf, it, keys, put, type Subject, sha256, text } from "./subject.js";

/** Writes objects, one and many, under free keys and taken ones. */
export function describePut(subject: Subject): void {
  it("keeps the bytes, and returns the size and the time of the object", async () => {
    const before = Date.now();
    const stored = await put(subject(), "uploads/report.pdf", "0123456789a");
    assert.equal(stored.size, 11);
    assert.ok(Math.abs(stored.modifiedAt.getTime() - before) < 60_000);
    assert.equal(await text(subject(), "uploads/report.pdf"), "0123456789a");
  });

  it("keeps an empty object", async () => {
    assert.equal((await put(subject(), "empty", "")).size, 0);
    assert.equal((await subject().stat("empty"))?.size, 0);
    assert.equal(await text(subject(), "empty"), "");
  });

  it("keeps 5 MiB byte for byte when they come in chunks of any size", async () => {
    const bytes = randomBytes(5 * 1024 * 1024);
    await subject().put("big", Readable.from(unevenChunks(bytes)), { size: bytes.length, type: "video/mp4" });
    assert.equal(sha256(await buffer(await subject().read("big"))), sha256(bytes));
  });

  it("never overwrites", async () => {
    await put(subject(), "a/b", "first");
    const first = await subject().stat("a/b");
    const body = bodyOf("second");
    await assert.rejects(subject().put("a/b", body), isTaken("a/b"));
    assert.ok(body.destroyed);
    assert.equal(await text(subject(), "a/b"), "first");
    assert.deepEqual(await subject().stat("a/b"), first);
  });

  it("keeps the bytes of exactly one of 50 writers who use a key at once", async () => {
    const writers = Array.from({ length: 50 }, (_, n) => put(subject(), "same/key", `writer ${n}`.repeat(n + 1)));
    const results = await Promise.allSettled(writers);
    const winners = results.flatMap((result, n) => (result.status === "fulfilled" ? [n] : []));
    assert.equal(winners.length, 1);
    for (const result of results) if (result.status === "rejected") assert.ok(isTaken("same/key")(result.reason));
    assert.equal(await text(subject(), "same/key"), `writer ${winners[0]}`.repeat(winners[0]! + 1));
    assert.deepEqual(await keys(subject()), ["same/key"]);
  });

  it("is not found before all of it is kept", async () => {
    const body = new PassThrough();
    const putting = subject().put("slow", body);
    body.write("half");
    await delay(30);
    assert.equal(await subject().stat("slow"), undefined);
    assert.deepEqual(await keys(subject()), []);
    body.end(" and half");
    assert.equal((await putting).size, 13);
    assert.equal(await text(subject(), "slow"), "half and half");
  });

  it("accepts a key again after the object was deleted", async () => {
    await put(subject(), "again", "one");
    await subject().delete("again");
    await put(subject(), "again", "two");
    assert.equal(await text(subject(), "again"), "two");
  });
}

function* unevenChunks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0, length = 1; at < bytes.length; at += length, length = ((length * 7) % 200_003) + 1) {
    yield bytes.subarray(at, at + length);
  }
}

function isTaken(key: string): (error: unknown) => boolean {
  return (error) => error instanceof KeyTakenError && error.key === key;
}
