import assert from "node:assert/strict";
import { truncateSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import { buffer, text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { StorageError } from "../../../src/errors.js";
import { DiskStorage } from "../../../src/storage/disk/disk-storage.js";
import { eventually } from "../../support/eventually.js";
import { run } from "../../support/programs.js";
import { DiskFixture, descriptorsUnder, generated, nodeCommand } from "../../support/storage-disk.js";

const onLinux = process.platform === "linux" ? false : "only Linux has /proc";

describe("DiskStorage.read", () => {
  const disk = DiskFixture.beforeEach();

  it("gives the old bytes to their end when the key is deleted, or written anew, midway", async () => {
    await disk.storage.put("big", generated(4 * 1024 * 1024));
    const bytes = await fs.readFile(disk.path("big"));
    const stream = await disk.storage.read("big");
    await disk.storage.delete("big");
    await disk.put("big", "new");
    assert.ok((await buffer(stream)).equals(bytes));
    assert.equal(await text(await disk.storage.read("big")), "new");
  });

  it("gives no byte more when the file grows", async () => {
    await disk.put("a", "x".repeat(1_000_000));
    const stream = await disk.storage.read("a");
    await fs.appendFile(disk.path("a"), "HTTP/1.1 200 OK");
    assert.equal((await text(stream)).length, 1_000_000);
  });

  it("fails when the file shrinks", async () => {
    await disk.put("a", "x".repeat(1_000_000));
    const stream = await disk.storage.read("a");
    const object = await disk.storage.open("a");
    truncateSync(disk.path("a"), 500_000);
    await assert.rejects(buffer(stream), StorageError);
    await assert.rejects(object!.read(new Uint8Array(10), 499_995), StorageError);
    await object!.close();
  });

  it("fails when the key holds another object of the same size", async () => {
    await disk.put("a", "old");
    const of = await disk.storage.stat("a");
    await disk.storage.delete("a");
    await delay(20);
    await disk.put("a", "new");
    await assert.rejects(disk.storage.read("a", { of }), StorageError);
  });

  it("fails when the key holds another object of the same time", async () => {
    await disk.put("a", "old");
    const of = await disk.storage.stat("a");
    await disk.storage.delete("a");
    await disk.put("a", "and new");
    await fs.utimes(disk.path("a"), of!.modifiedAt, of!.modifiedAt);
    assert.deepEqual((await disk.storage.stat("a"))?.modifiedAt, of?.modifiedAt);
    await assert.rejects(disk.storage.read("a", { of }), StorageError);
  });

  it("holds no descriptor of what it refuses to read", { skip: onLinux }, async () => {
    await disk.put("a", "bytes");
    await assert.rejects(disk.storage.read("a", { start: 9 }));
    await assert.rejects(disk.storage.read("a", { of: { size: 1, modifiedAt: new Date() } }));
    await assert.rejects(disk.storage.read("a", { signal: AbortSignal.abort() }));
    assert.deepEqual(await descriptorsUnder(disk.storage.root), []);
  });

  it("leaves no descriptor behind, however reading ends", { skip: onLinux }, async () => {
    await disk.storage.put("big", generated(1024 * 1024));
    for (let n = 0; n < 500; n++) {
      const controller = new AbortController();
      const stream = await disk.storage.read("big", { signal: controller.signal });
      stream.on("error", () => {});
      if (n % 5 === 0) stream.destroy();
      else if (n % 5 === 1) stream.once("data", () => stream.destroy(new Error("client left")));
      else if (n % 5 === 2) stream.once("data", () => controller.abort());
      else if (n % 5 === 3) controller.abort();
      else stream.resume();
    }
    await eventually(async () => assert.deepEqual(await descriptorsUnder(disk.storage.root), []));
  });

  it("reads from the very end of a file of 1 TiB, and refuses one beyond 2^53 bytes", async (t) => {
    writeFileSync(disk.path("huge"), "");
    try {
      truncateSync(disk.path("huge"), 2 ** 40);
    } catch (error) {
      return t.skip(`the file system has no such files: ${error}`);
    }
    assert.equal((await buffer(await disk.storage.read("huge", { start: 2 ** 40 - 3 }))).length, 3);
    const memory = new DiskStorage(await fs.mkdtemp("/dev/shm/private-files-").catch(() => disk.storage.root));
    try {
      const { code, stderr } = await run("truncate", "-s", `${2n ** 53n + 3n}`, memory.path("huger"));
      if (code !== 0) return t.diagnostic(`no file system here has files of 2^53 bytes: ${stderr}`);
      await assert.rejects(memory.stat("huger"), StorageError);
      await assert.rejects(memory.open("huger"), StorageError);
    } finally {
      await fs.rm(memory.root, { recursive: true });
    }
  });

  it("fails with a StorageError when there are no descriptors left", async () => {
    const code = `const storage = new DiskStorage(root); await put(storage, "a", 3);
      const held = []; try { for (;;) held.push(await fs.open(root + "/a")); } catch {}
      const results = [await codeOf(storage.open("a")), await codeOf(storage.read("a")), await codeOf(put(storage, "b", 3))];
      for (const handle of held) await handle.close();
      return [...results, await codeOf(put(storage, "b", 3)), (await fs.readdir(root)).sort(), await fs.readdir(root + "/.incomplete")];`;
    const child = await run("sh", "-c", 'ulimit -n 64 && exec "$@"', "sh", ...nodeCommand(disk.storage.root, code));
    const expected = [...Array(3).fill("StorageError EMFILE"), "done", [".incomplete", "a", "b"], []];
    assert.deepEqual(JSON.parse(child.stdout || "null"), expected, child.stderr);
  });
});
