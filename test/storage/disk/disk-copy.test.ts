import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { StorageError } from "../../../src/errors.js";
import { DiskStorage } from "../../../src/storage/disk/disk-storage.js";
import { UploadError } from "../../../src/storage/upload-error.js";
import { needs } from "../../support/requirements.js";
import { DiskFixture, descriptorsUnder, generated, ioError } from "../../support/storage-disk.js";
import { it } from "../../support/suite.js";

const SIZE = 8 * 1024 * 1024;

describe("DiskStorage.copy", () => {
  const disk = DiskFixture.beforeEach({ fileMode: 0o640 });

  it("makes a file of its own with the storage's permissions, whatever those of the original are", async () => {
    await disk.put("a/original", "bytes");
    await fs.chmod(disk.path("a/original"), 0o400);
    await disk.storage.copy("a/original", "b/copy");
    const [original, copy] = await Promise.all(["a/original", "b/copy"].map((key) => fs.stat(disk.path(key))));
    assert.notEqual(copy!.ino, original!.ino);
    assert.deepEqual([original!.nlink, copy!.nlink, copy!.mode & 0o777], [1, 1, 0o640]);
    await fs.appendFile(disk.path("b/copy"), " and more");
    assert.equal(await fs.readFile(disk.path("a/original"), "utf8"), "bytes");
  });

  it("leaves nothing when it is aborted midway", async () => {
    await disk.storage.put("a", generated(SIZE));
    const controller = new AbortController();
    const copying = disk.storage.copy("a", "b", { signal: controller.signal });
    setImmediate(() => controller.abort(new Error("enough")));
    await assert.rejects(copying, UploadError);
    assert.deepEqual(await disk.entries(), ["a"]);
    assert.deepEqual(await descriptorsUnder(disk.storage.root), []);
  });

  it("leaves nothing when the disk fails", async (t) => {
    await disk.storage.put("a", generated(SIZE));
    t.mock.method(fs, "link", () => Promise.reject(ioError("ENOSPC")));
    await assert.rejects(disk.storage.copy("a", "b"), StorageError);
    assert.deepEqual(await disk.entries(), ["a"]);
  });

  it("fails when the original is written to meanwhile", async (t) => {
    await disk.put("a", "original");
    const link = t.mock.method(fs, "open", async (...args: Parameters<typeof fs.open>) => {
      link.mock.restore();
      await fs.writeFile(disk.path("a"), "changed!");
      return fs.open(...args);
    });
    await assert.rejects(disk.storage.copy("a", "b"), StorageError);
    assert.deepEqual(await disk.entries(), ["a"]);
  });

  it("copies no symbolic link and nothing behind one", async () => {
    await fs.mkdir(join(disk.outside, "other"));
    await fs.writeFile(join(disk.outside, "other", "secret"), "secret");
    await fs.symlink(join(disk.outside, "other"), disk.path("folder"));
    await fs.symlink(join(disk.outside, "other", "secret"), disk.path("file"));
    for (const from of ["folder/secret", "file"]) await assert.rejects(disk.storage.copy(from, "to"), StorageError);
    assert.equal(await disk.storage.stat("to"), undefined);
  });
});

describe("DiskStorage.copy on Btrfs", () => {
  const disk = DiskFixture.beforeEach();

  it("shares the blocks of the original until one of the two changes", {
    skip: needs("mkfs.btrfs", "mount"),
  }, async () => {
    const [image, folder] = [join(disk.outside, "image"), join(disk.outside, "mounted")];
    await fs.writeFile(image, "");
    await fs.truncate(image, 256 * 1024 * 1024);
    await fs.mkdir(folder);
    execFileSync("mkfs.btrfs", ["-q", image], { stdio: "ignore" });
    execFileSync("mount", ["-o", "loop", image, folder]);
    try {
      const storage = new DiskStorage(join(folder, "root"));
      await storage.put("a", generated(100 * 1024 * 1024));
      await storage.copy("a", "b");
      await storage.copy("a", "c");
      assert.ok((await bytesUsed(folder)) < 150 * 1024 * 1024);
      const [a, b] = await Promise.all(["a", "b"].map((key) => fs.readFile(storage.path(key))));
      assert.ok(a!.equals(b!));
      await storage.delete("a");
      assert.equal((await fs.stat(storage.path("b"))).size, a!.length);
      assert.deepEqual(await fs.readdir(join(storage.root, ".incomplete")), []);
    } finally {
      execFileSync("umount", [folder]);
    }
  });
});

async function bytesUsed(folder: string): Promise<number> {
  const { blocks, bfree, bsize } = await fs.statfs(folder);
  return (blocks - bfree) * bsize;
}
