import assert from "node:assert/strict";
import { linkSync, mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { StorageError } from "../../../src/errors.js";
import { isReallyAt, isStillAt, wasAt } from "../../../src/storage/disk/disk-place.js";
import { DiskStorage } from "../../../src/storage/disk/disk-storage.js";
import { randomSegment } from "../../../src/storage/key.js";
import { run } from "../../support/programs.js";
import { DiskFixture, descriptorsUnder } from "../../support/storage-disk.js";

describe("DiskStorage and what others put into its root", () => {
  const disk = DiskFixture.beforeEach();

  /** Neither found nor read nor listed, without waiting for another process, and what is outside stays as it is. */
  async function isNoObject(key: string): Promise<void> {
    assert.equal(await disk.storage.stat(key), undefined, `stat ${key}`);
    assert.equal(await disk.storage.open(key), undefined, `open ${key}`);
    await assert.rejects(disk.storage.read(key), StorageError, `read ${key}`);
    for await (const listed of disk.storage.list(key)) assert.fail(`listed ${listed.key}`);
  }

  it("does not follow a symbolic link to a file, inside or outside", async () => {
    writeFileSync(join(disk.outside, "secret"), "secret");
    await disk.put("real");
    symlinkSync(join(disk.outside, "secret"), disk.path("out"));
    symlinkSync("real", disk.path("in"));
    for (const key of ["out", "in"]) {
      await isNoObject(key);
      await assert.rejects(disk.put(key), { name: "KeyTakenError" });
      await disk.storage.delete(key);
    }
    assert.equal(await fs.readFile(join(disk.outside, "secret"), "utf8"), "secret");
    assert.deepEqual(await disk.entries(), ["real"]);
  });

  it("does not follow a symbolic link to a folder, at any depth", async () => {
    mkdirSync(join(disk.outside, "other", "sub"), { recursive: true });
    writeFileSync(join(disk.outside, "other", "sub", "secret"), "secret");
    writeFileSync(join(disk.outside, "other", "secret"), "secret");
    mkdirSync(disk.path("a"));
    symlinkSync(join(disk.outside, "other"), disk.path("a", "link"));
    for (const key of ["a/link/secret", "a/link/sub/secret"]) {
      await isNoObject(key);
      await assert.rejects(disk.put(`${key}2`), (error) => {
        assert.ok(error instanceof StorageError, String(error));
        return ["ELOOP", "ENOTDIR"].includes((error.cause as NodeJS.ErrnoException).code!);
      });
      await assert.rejects(disk.put(`${key}-folder/deep/x`), StorageError);
      await disk.storage.delete(key);
    }
    for await (const { key } of disk.storage.list("")) assert.fail(`listed ${key}`);
    const outside = await fs.readdir(join(disk.outside, "other"), { recursive: true });
    assert.deepEqual(outside.sort(), ["secret", "sub", "sub/secret"]);
  });

  it("does not remove empty folders behind a symbolic link", async () => {
    const random = randomSegment();
    mkdirSync(join(disk.outside, "other", random), { recursive: true });
    symlinkSync(join(disk.outside, "other"), disk.path("link"));
    await disk.storage.delete(`link/${random}/x`);
    await disk.storage.delete(`link/${random}`);
    assert.ok((await fs.stat(join(disk.outside, "other", random))).isDirectory());
  });

  it("does not write through a hostile folder for incomplete uploads", async () => {
    const hostile = join(disk.outside, "hostile");
    mkdirSync(hostile);
    writeFileSync(join(hostile, "old"), "");
    symlinkSync(hostile, disk.path(".incomplete"));
    await assert.rejects(disk.put("a/b"), StorageError);
    await disk.storage.removeIncomplete(new Date(Date.now() + 60_000));
    assert.deepEqual(await fs.readdir(hostile), ["old"]);
    unlinkSync(disk.path(".incomplete"));
    writeFileSync(disk.path(".incomplete"), "");
    await assert.rejects(disk.put("a/b"), StorageError);
  });

  it("finds no object in dangling links, loops, folders and /proc", async () => {
    symlinkSync("nowhere", disk.path("dangling"));
    symlinkSync("loop", disk.path("loop"));
    symlinkSync("/proc/self/environ", disk.path("environ"));
    symlinkSync("/proc/self", disk.path("proc"));
    symlinkSync("/dev/zero", disk.path("zero"));
    symlinkSync("/dev", disk.path("dev"));
    mkdirSync(disk.path("folder"));
    for (const key of ["dangling", "loop", "loop/x", "environ", "proc/environ", "zero", "dev/zero", "folder"]) {
      await isNoObject(key);
    }
    if (process.platform === "linux") assert.deepEqual(await descriptorsUnder(disk.storage.root), []);
  });

  it("finds no object in a socket", async (t) => {
    const server = net.createServer();
    const listening = await new Promise((resolve) => {
      server.once("error", resolve).listen(disk.path("socket"), () => resolve(true));
    });
    if (listening !== true) return t.skip(`the path is too long for a socket: ${listening}`);
    try {
      await isNoObject("socket");
    } finally {
      server.close();
    }
  });

  it("finds no object in a FIFO, and 100 of them stop nobody", async (t) => {
    const { code, stderr } = await run("mkfifo", disk.path("fifo"));
    if (code !== 0) return t.skip(`mkfifo: ${stderr}`);
    await disk.put("normal");
    await isNoObject("fifo");
    const asked = Array.from({ length: 100 }, () =>
      Promise.all([disk.storage.stat("fifo"), disk.storage.open("fifo")]),
    );
    assert.equal(await text(await disk.storage.read("normal")), "bytes");
    assert.deepEqual(new Set((await Promise.all(asked)).flat()), new Set([undefined]));
    await assert.rejects(disk.put("fifo"), { name: "KeyTakenError" });
  });

  it("finds no object in a device", async (t) => {
    const { code, stderr } = await run("mknod", disk.path("zero"), "c", "1", "5");
    if (code !== 0) return t.skip(`mknod needs the superuser: ${stderr}`);
    await isNoObject("zero");
  });

  it("takes a file with two names unless it is told not to", async () => {
    writeFileSync(join(disk.outside, "secret"), "secret");
    linkSync(join(disk.outside, "secret"), disk.path("hard"));
    assert.equal((await disk.storage.stat("hard"))?.size, 6);
    const strict = new DiskStorage(disk.storage.root, { refuseHardLinks: true });
    assert.equal(await strict.stat("hard"), undefined);
    assert.equal(await strict.open("hard"), undefined);
    await disk.put("single");
    assert.equal((await strict.stat("single"))?.size, 5);
  });

  it("never reads outside while a folder and a link to another change places", async () => {
    mkdirSync(join(disk.outside, "other"));
    writeFileSync(join(disk.outside, "other", "a"), "SECRET");
    await disk.put("folder/a", "public");
    symlinkSync(join(disk.outside, "other"), disk.path("link"));
    let found = 0;
    const until = Date.now() + 600;
    const swapping = (async () => {
      while (Date.now() < until || found === 0) {
        renameSync(disk.path("folder"), disk.path("real"));
        renameSync(disk.path("link"), disk.path("folder"));
        await new Promise(setImmediate);
        renameSync(disk.path("folder"), disk.path("link"));
        renameSync(disk.path("real"), disk.path("folder"));
        await new Promise(setImmediate);
      }
    })();
    const readers = Array.from({ length: 8 }, async () => {
      while (Date.now() < until || found === 0) {
        const content = await disk.storage.read("folder/a").then(text, () => undefined);
        if (content !== undefined) assert.equal(content, "public");
        if (content !== undefined) found++;
      }
    });
    await Promise.all([swapping, ...readers]);
  });

  it("knows of a file that was replaced or removed since it was opened where it was", async () => {
    await disk.put("folder/a", "old");
    for (const replace of [
      () => renameSync(disk.path("new"), disk.path("folder/a")),
      () => unlinkSync(disk.path("folder/a")),
    ]) {
      writeFileSync(disk.path("new"), "new");
      const handle = await fs.open(disk.path("folder/a"));
      replace();
      // Elsewhere it counts as none: the file that is there now is another one.
      assert.equal(wasAt(handle, disk.path("folder/a")), process.platform === "linux");
      for (const other of ["folder/b", "other/a", "folder/"]) assert.equal(wasAt(handle, disk.path(other)), false);
      await handle.close();
    }
    await disk.put("folder/a", "moved");
    const handle = await fs.open(disk.path("folder/a"));
    renameSync(disk.path("folder/a"), disk.path("folder/a (deleted)x"));
    assert.equal(wasAt(handle, disk.path("folder/a")), false);
    await handle.close();
  });

  it("knows without /proc, too, whether a path led through a link", async () => {
    mkdirSync(join(disk.outside, "other"));
    writeFileSync(join(disk.outside, "other", "a"), "secret");
    await disk.put("real/a");
    symlinkSync(join(disk.outside, "other"), disk.path("link"));
    for (const [path, expected] of [
      [disk.path("real", "a"), true],
      [disk.path("link", "a"), false],
    ] as const) {
      const handle = await fs.open(path);
      assert.equal(await isStillAt(handle, path), expected);
      assert.equal(await isReallyAt(handle, path), expected);
      await handle.close();
    }
    const replaced = await fs.open(disk.path("real", "a"));
    renameSync(disk.path("real", "a"), disk.path("real", "b"));
    await disk.put("real/a");
    assert.equal(await isStillAt(replaced, disk.path("real", "a")), false);
    await replaced.close();
  });
});
