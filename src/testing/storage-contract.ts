import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { InvalidKeyError, KeyTakenError, StorageError, UploadSourceError } from "../errors.js";
import type { ReadOptions, Storage } from "../storage/storage.js";

/** A storage to test, empty and of its own. */
export interface StorageUnderTest {
  /** The storage. */
  storage: Storage;
  /** Takes it down, with all that is in it. */
  close(): Promise<void>;
}

/** Keys that look like something else and are names like any other. */
const ODD_KEYS = [
  "100%.pdf",
  "%41.pdf",
  "a%00b",
  "docs/1/..%2f2%2fsecret.pdf",
  "%2e%2e/x",
  "%252e",
  "...",
  "..a/b..",
  ".env.pdf",
  ".d/x",
  "-rf",
  "~",
  "a b.pdf",
  " a ",
  "a'b\"c`d.pdf",
  "$(id) ;&|<>.pdf",
  "*",
  "[a].pdf",
  "{a,b}",
  "a?b#c=d&e",
  "ab:c",
  "Отчёт 報告 تقرير.pdf",
  "cafe\u0301.pdf",
  "👩‍👩‍👧.png",
  "NUL",
  "a".repeat(255),
  "€".repeat(85),
];

const REFUSED_KEYS: unknown[] = [
  "",
  ".",
  "..",
  "../x",
  "a/../x",
  "a/..",
  "./a",
  "a/./b",
  "/",
  // A storage that is wrong deletes what these tests ask it to delete: so none names a file that anybody needs.
  "/nowhere/at/all",
  "//x",
  "a//b",
  "a/",
  "C:\\x",
  "C:x",
  "a\\b",
  "..\\x",
  "a\0b",
  "a\nb",
  "a\u007fb",
  "a\ud800.pdf",
  "\udfff",
  "a".repeat(256),
  "€".repeat(86),
  `${"abc/".repeat(256)}d`,
  undefined,
  null,
  7,
  {},
  ["a"],
];

/**
 * What every storage must do, as tests. A storage of your own is right when they pass.
 *
 * @param name what to call it in the report.
 * @param open makes a storage with nothing in it; called before each test, and its `close` after.
 */
export function describeStorage(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(name, () => {
    let opened: StorageUnderTest;
    const subject: Subject = () => opened.storage;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());
    describe("put", () => describePut(subject));
    describe("put of a body that fails", () => describeFailingBodies(subject));
    describe("stat", () => describeStat(subject));
    describe("read", () => describeRead(subject));
    describe("open", () => describeOpen(subject));
    describe("delete", () => describeDelete(subject));
    describe("list", () => describeList(subject));
    describe("keys", () => describeKeys(subject));
  });
}

type Subject = () => Storage;

function unlessTaken(error: unknown): undefined {
  if (!(error instanceof KeyTakenError)) throw error;
}

function describePut(subject: Subject): void {
  it("keeps the bytes and says what it kept", async () => {
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

  it("keeps 5 MiB byte for byte, in chunks of any size", async () => {
    const bytes = randomBytes(5 * 1024 * 1024);
    await subject().put("big", Readable.from(unevenChunks(bytes)), { size: bytes.length, type: "video/mp4" });
    assert.equal(sha256(await buffer(await subject().read("big"))), sha256(bytes));
  });

  it("never overwrites", async () => {
    const { key: _, ...first } = await put(subject(), "a/b", "first");
    const body = bodyOf("second");
    await assert.rejects(subject().put("a/b", body), isTaken("a/b"));
    assert.ok(body.destroyed);
    assert.equal(await text(subject(), "a/b"), "first");
    assert.deepEqual(await subject().stat("a/b"), first);
  });

  it("tells the key that it kept the object under: the one that was asked for, or what rename made of a taken one", async () => {
    const rename = (taken: string) => `${taken}+`;
    const kept = [];
    for (const text of ["first", "second", "third"]) {
      kept.push(await subject().put("a/b", bodyOf(text), { rename }).catch(unlessTaken));
    }
    assert.equal(kept[0]?.key, "a/b");
    assert.equal(await text(subject(), "a/b"), "first");
    // A storage that would have to read the body anew refuses; one that need not finds a free key.
    if (kept[1] === undefined) return;
    assert.deepEqual([kept[1]?.key, kept[2]?.key], ["a/b+", "a/b++"]);
    assert.deepEqual([await text(subject(), "a/b+"), await text(subject(), "a/b++")], ["second", "third"]);
  });

  it("passes on what rename throws, and keeps nothing", async () => {
    await put(subject(), "a/b", "first");
    const failed = new Error("no more names");
    const rename = () => {
      throw failed;
    };
    await assert.rejects(subject().put("a/b", bodyOf("second"), { rename }));
    assert.deepEqual(await keys(subject()), ["a/b"]);
  });

  it("lets one of 50 concurrent writers of a key win, and that one's bytes stay", async () => {
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

  it("takes a key again once it is deleted", async () => {
    await put(subject(), "again", "one");
    await subject().delete("again");
    await put(subject(), "again", "two");
    assert.equal(await text(subject(), "again"), "two");
  });
}

function describeFailingBodies(subject: Subject): void {
  async function refuses(body: Readable, options?: Parameters<Storage["put"]>[2], cause?: unknown): Promise<void> {
    await assert.rejects(subject().put("folder/failed", body, options), (error) => {
      assert.ok(error instanceof UploadSourceError, String(error));
      if (cause !== undefined) assert.equal(error.cause, cause);
      return true;
    });
    assert.ok(body.destroyed, "the body is destroyed");
    assert.equal(await subject().stat("folder/failed"), undefined);
    assert.deepEqual(await keys(subject()), []);
    await put(subject(), "folder/failed", "now it works");
  }

  it("keeps nothing when the body fails", async () => {
    const failure = new Error("connection reset");
    await refuses(Readable.from(bytesThenError(failure)), {}, failure);
  });

  it("keeps nothing when the body fails before its first byte is read", async () => {
    const failure = new Error("connection reset");
    const body = new PassThrough();
    queueMicrotask(() => body.destroy(failure));
    await refuses(body, {}, failure);
  });

  it("keeps nothing when the body is closed before its end", async () => {
    const body = new PassThrough();
    body.write("half");
    setTimeout(() => body.destroy(), 20);
    await refuses(body);
  });

  it("keeps nothing when the body is shorter than announced", () => refuses(bodyOf("four"), { size: 5 }));

  it("keeps nothing when the body is longer than announced", () => refuses(bodyOf("four"), { size: 3 }));

  it("keeps nothing when bytes come where none were announced", () => refuses(bodyOf("four"), { size: 0 }));

  it("stops reading a body without end at the announced size", async () => {
    let given = 0;
    const body = new Readable({
      read() {
        given += 64 * 1024;
        this.push(Buffer.alloc(64 * 1024));
      },
    });
    await refuses(body, { size: 1024 * 1024 });
    assert.ok(given < 4 * 1024 * 1024, `${given} bytes were read`);
  });

  it("keeps nothing of an upload that is aborted while its body stalls", async () => {
    const body = new PassThrough();
    body.write("half");
    const reason = new Error("the user left");
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 20);
    await refuses(body, { signal: controller.signal }, reason);
  });

  it("keeps nothing of an upload that was aborted before it began", async () => {
    const reason = new Error("too late");
    await refuses(bodyOf("bytes"), { signal: AbortSignal.abort(reason) }, reason);
  });

  it("keeps nothing of a body of text or objects", async () => {
    await refuses(Readable.from(["text"]));
    await subject().delete("folder/failed");
    await refuses(Readable.from([{ length: 3 }]));
  });

  it("keeps nothing of a body that was read, destroyed or failed before", async () => {
    const read = bodyOf("bytes");
    await buffer(read);
    await refuses(read);
    await subject().delete("folder/failed");
    await refuses(bodyOf("bytes").destroy());
    await subject().delete("folder/failed");
    const failed = bodyOf("bytes");
    failed.once("error", () => {});
    await refuses(failed.destroy(new Error("earlier")));
  });

  it("lets a body fail after it was refused without ending the process", async () => {
    await put(subject(), "taken", "bytes");
    const body = new PassThrough();
    const putting = subject().put("../taken", body);
    body.emit("error", new Error("late"));
    await assert.rejects(putting, InvalidKeyError);
    body.emit("error", new Error("later"));
    assert.ok(body.destroyed);
  });
}

function describeStat(subject: Subject): void {
  it("says what put said", async () => {
    const { key: _, ...stored } = await put(subject(), "a/b.txt", "bytes");
    assert.deepEqual(await subject().stat("a/b.txt"), stored);
  });

  it("is undefined for what is not there", async () => {
    await put(subject(), "a/b", "bytes");
    for (const key of ["x", "a", "a/b/c", "a/bb", "A/c"]) assert.equal(await subject().stat(key), undefined, key);
  });
}

function describeRead(subject: Subject): void {
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

  it("fails for an object that is not there", async () => {
    await assert.rejects(text(subject(), "nothing/here"), StorageError);
  });

  it("gives the object that was looked at", async () => {
    await put(subject(), "a", "bytes");
    const of = await subject().stat("a");
    assert.equal(await text(subject(), "a", { of, start: 1, end: 2 }), "yt");
  });

  it("fails when the key holds another object than the one that was looked at", async () => {
    await put(subject(), "a", "old bytes");
    const of = await subject().stat("a");
    await subject().delete("a");
    await put(subject(), "a", "new bytes, and more of them");
    await assert.rejects(text(subject(), "a", { of }), StorageError);
  });

  it("can be destroyed midway, and before the first byte, as often as one likes", async () => {
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

  it("ends when its signal is aborted", async () => {
    await subject().put("big", Readable.from([randomBytes(1024 * 1024)]));
    await assert.rejects(text(subject(), "big", { signal: AbortSignal.abort(new Error("gone")) }));
    const controller = new AbortController();
    const stream = await subject().read("big", { signal: controller.signal });
    stream.once("data", () => controller.abort());
    await assert.rejects(buffer(stream));
  });

  it("serves 100 readers of one object at once", async () => {
    await put(subject(), "popular", "bytes".repeat(1000));
    const texts = await Promise.all(Array.from({ length: 100 }, () => text(subject(), "popular")));
    assert.deepEqual(new Set(texts), new Set(["bytes".repeat(1000)]));
  });
}

function describeOpen(subject: Subject): void {
  it("holds one object to look at and read from, where the storage has it", async (t) => {
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

  it("speaks of the same bytes after the key was deleted and written anew", async (t) => {
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

  it("is undefined for what is not there", async (t) => {
    if (!subject().open) return t.skip("the storage has no open()");
    await put(subject(), "a/b", "bytes");
    for (const key of ["x", "a", "a/b/c"]) assert.equal(await subject().open!(key), undefined, key);
  });
}

function describeDelete(subject: Subject): void {
  it("removes that object and no other", async () => {
    for (const key of ["a/b", "a/bc", "a/c/d", "b"]) await put(subject(), key, key);
    await subject().delete("a/b");
    assert.equal(await subject().stat("a/b"), undefined);
    assert.deepEqual(await keys(subject()), ["a/bc", "a/c/d", "b"]);
  });

  it("takes patterns for the names that they are", async () => {
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

  it("can be asked by many at once while others write beside it", async () => {
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await put(subject(), `shared/deep/${n}`, "bytes");
        await Promise.all([subject().delete(`shared/deep/${n}`), put(subject(), `shared/deep/kept-${n}`, "kept")]);
      }),
    );
    assert.equal((await keys(subject(), "shared/")).length, 50);
  });
}

function describeList(subject: Subject): void {
  it("gives all keys with their sizes and times", async () => {
    await put(subject(), "a", "1");
    await put(subject(), "b/c", "22");
    const listed = [];
    for await (const object of subject().list("")) listed.push(object);
    listed.sort((one, other) => (one.key < other.key ? -1 : 1));
    const [a, c] = [await subject().stat("a"), await subject().stat("b/c")];
    assert.deepEqual(listed, [
      { key: "a", size: 1, modifiedAt: a?.modifiedAt },
      { key: "b/c", size: 2, modifiedAt: c?.modifiedAt },
    ]);
  });

  const all = ["up", "uploads/2026/a", "uploads/2026/b", "uploads/2027/a", "uploads-old/a", "x/..y"];
  const prefixes: [string, string[]][] = [
    ["", all],
    ["up", all.slice(0, 5)],
    ["uploads", all.slice(1, 5)],
    ["uploads/", all.slice(1, 4)],
    ["uploads/202", all.slice(1, 4)],
    ["uploads/2026", all.slice(1, 3)],
    ["uploads/2026/", all.slice(1, 3)],
    ["uploads/2026/a", all.slice(1, 2)],
    ["uploads/2026/a/", []],
    ["nothing", []],
    ["x/..", ["x/..y"]],
    ["*", []],
  ];
  for (const [prefix, expected] of prefixes) {
    it(`gives the keys that start with "${prefix}"`, async () => {
      await Promise.all(all.map((key) => put(subject(), key, key)));
      assert.deepEqual(await keys(subject(), prefix), [...expected].sort());
    });
  }

  it("can be left early, and goes on while objects come and go", async () => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => put(subject(), `many/${n}`, "bytes")));
    for await (const _ of subject().list("many/")) break;
    let seen = 0;
    for await (const { key } of subject().list("many/")) {
      seen++;
      await subject().delete(key);
    }
    assert.equal(seen, 100);
    assert.deepEqual(await keys(subject()), []);
  });
}

function describeKeys(subject: Subject): void {
  it("serves odd names as their own bytes", async () => {
    for (const key of ODD_KEYS) await put(subject(), key, `bytes of ${key}`);
    for (const key of ODD_KEYS) {
      assert.equal((await subject().stat(key))?.size, Buffer.byteLength(`bytes of ${key}`), key);
      assert.equal(await text(subject(), key), `bytes of ${key}`, key);
    }
    assert.deepEqual(await keys(subject()), [...ODD_KEYS].sort());
    for (const key of ODD_KEYS) await subject().delete(key);
    assert.deepEqual(await keys(subject()), []);
  });

  const methods: Record<string, (storage: Storage, key: string) => unknown> = {
    put: (storage, key) => put(storage, key, "bytes"),
    stat: (storage, key) => storage.stat(key),
    read: (storage, key) => storage.read(key),
    delete: (storage, key) => storage.delete(key),
    open: (storage, key) => storage.open?.(key),
    path: (storage, key) => storage.path?.(key),
  };
  for (const [method, call] of Object.entries(methods)) {
    it(`refuses keys that could leave the storage in ${method}`, async (t) => {
      if (!(method in subject())) return t.skip(`the storage has no ${method}()`);
      for (const key of REFUSED_KEYS) {
        await assert.rejects(async () => call(subject(), key as string), InvalidKeyError, JSON.stringify(key));
      }
      assert.deepEqual(await keys(subject()), []);
    });
  }

  it("refuses prefixes that could leave the storage in list", async () => {
    for (const prefix of ["../", "/", "/etc", "a/../", "a//", "./", "a\0", "C:\\", null, 7]) {
      await assert.rejects(keys(subject(), prefix as string), InvalidKeyError, JSON.stringify(prefix));
    }
  });
}

function put(storage: Storage, key: string, content: string) {
  return storage.put(key, bodyOf(content), { size: Buffer.byteLength(content) });
}

function bodyOf(content: string): Readable {
  return Readable.from(content === "" ? [] : [Buffer.from(content)]);
}

async function text(storage: Storage, key: string, options?: ReadOptions): Promise<string> {
  return (await buffer(await storage.read(key, options))).toString();
}

async function keys(storage: Storage, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of storage.list(prefix)) found.push(key);
  return found.sort();
}

function* unevenChunks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0, length = 1; at < bytes.length; at += length, length = ((length * 7) % 200_003) + 1) {
    yield bytes.subarray(at, at + length);
  }
}

async function* bytesThenError(error: Error): AsyncGenerator<Buffer> {
  yield Buffer.from("half");
  throw error;
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function isTaken(key: string): (error: unknown) => boolean {
  return (error) => error instanceof KeyTakenError && error.key === key;
}
