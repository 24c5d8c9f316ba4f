import assert from "node:assert/strict";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { chmod, mkdtemp, realpath, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { ConfigurationError, InvalidKeyError, KeyTakenError, StorageError } from "../../../src/errors.js";
import { DiskStorage } from "../../../src/storage/disk/disk-storage.js";
import { randomSegment } from "../../../src/storage/key.js";
import { describeStorage } from "../../../src/testing.js";
import { run } from "../../support/programs.js";
import { DiskFixture, nodeCommand } from "../../support/storage-disk.js";

describeStorage("DiskStorage", async () => {
  const folder = await mkdtemp(join(tmpdir(), "private-files-"));
  return {
    storage: new DiskStorage(join(folder, "root")),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

describe("DiskStorage's root", () => {
  const disk = DiskFixture.beforeEach();

  it("is made with its parents, for nobody else to look into", async () => {
    const { root } = new DiskStorage(join(disk.outside, "new", "deep"));
    assert.equal((await stat(root)).mode & 0o777, 0o700);
    assert.equal((await stat(join(root, ".."))).mode & 0o777, 0o700);
  });

  it("stays where it was when the working directory changes", async () => {
    const child = await run(
      ...nodeCommand(
        disk.outside,
        `process.chdir(root); const storage = new DiskStorage("here"); process.chdir("/");
           await put(storage, "a", 3); return storage.path("a");`,
      ),
    );
    assert.equal(JSON.parse(child.stdout), join(await realpath(disk.outside), "here", "a"), child.stderr);
  });

  it("may be a symbolic link, which is followed once", async () => {
    symlinkSync(disk.storage.root, join(disk.outside, "link"));
    const linked = new DiskStorage(join(disk.outside, "link"));
    assert.equal(linked.root, disk.storage.root);
    await disk.put("a/b");
    assert.equal((await linked.stat("a/b"))?.size, 5);
  });

  it("is refused when it is empty, the whole file system, or no folder", () => {
    writeFileSync(join(disk.outside, "file"), "");
    symlinkSync("/", join(disk.outside, "slash"));
    symlinkSync(join(disk.outside, "nowhere"), join(disk.outside, "dangling"));
    // Node's own recursive mkdir never returns below /proc.
    const wrong = ["", "/", "//", "/tmp/..", "a\0b", "/proc/missing/below", undefined, 7, {}];
    for (const name of ["file", "file/below", "slash", "dangling"]) wrong.push(join(disk.outside, name));
    for (const root of wrong) {
      assert.throws(() => new DiskStorage(root as string), ConfigurationError, String(root));
    }
  });

  it("is not made again when it vanishes, as a volume does", async () => {
    await rm(disk.storage.root, { recursive: true });
    await assert.rejects(disk.put("a"), (error) => error instanceof StorageError && causeOf(error) === "ENOENT");
    assert.equal(await disk.storage.stat("a"), undefined);
    await disk.storage.delete("a");
    await assert.rejects(stat(disk.storage.root));
  });
});

describe("DiskStorage's names and permissions", () => {
  const disk = DiskFixture.beforeEach();

  for (const umask of ["000", "077"]) {
    it(`keeps files and folders to itself under umask ${umask}`, async () => {
      const code = `process.umask(0o${umask}); const storage = new DiskStorage(root + "/new");
        await put(storage, "a/b/c", 3);
        const mode = async (path) => ((await fs.stat(storage.root + path)).mode & 0o777).toString(8);
        return Promise.all(["", "/a", "/a/b", "/a/b/c", "/.incomplete"].map(mode));`;
      const child = await run(...nodeCommand(disk.outside, code));
      assert.deepEqual(JSON.parse(child.stdout), ["700", "700", "700", "600", "700"], child.stderr);
    });
  }

  it("gives files and folders the permissions that it was told", async () => {
    const code = `process.umask(0o022); const storage = new DiskStorage(root + "/new", { fileMode: 0o640, folderMode: 0o750 });
      await put(storage, "a/b", 3);
      const mode = async (path) => ((await fs.stat(storage.root + path)).mode & 0o777).toString(8);
      return Promise.all(["", "/a", "/a/b", "/.incomplete"].map(mode));`;
    const child = await run(...nodeCommand(disk.outside, code));
    assert.deepEqual(JSON.parse(child.stdout), ["750", "750", "640", "700"], child.stderr);
  });

  it("knows the path of a key", () => {
    assert.equal(relative(disk.storage.root, disk.storage.path("a/b%2f..")), join("a", "b%2f.."));
  });

  it("keeps the reserved folder out of keys and lists", async () => {
    await disk.put("a");
    writeFileSync(disk.path(".incomplete", "left"), "");
    for (const key of [".incomplete", ".incomplete/left", ".INCOMPLETE/left", ".Incomplete/x/y"]) {
      await assert.rejects(disk.put(key), InvalidKeyError);
      for (const method of ["stat", "read", "open", "delete"] as const) {
        await assert.rejects(disk.storage[method](key), InvalidKeyError);
      }
      assert.throws(() => disk.storage.path(key), InvalidKeyError);
    }
    assert.deepEqual(await listed(disk.storage, ""), ["a"]);
    assert.deepEqual(await listed(disk.storage, ".incomplete/"), []);
  });

  it("does not list files whose names are no keys", async () => {
    await disk.put("a");
    for (const name of ["a\nb", "a\\b", "C:x"]) writeFileSync(disk.path(name), "");
    assert.deepEqual(await listed(disk.storage, ""), ["a"]);
  });

  it("takes a folder for a taken key, and refuses a key under a file", async () => {
    await disk.put("folder/a");
    await assert.rejects(disk.put("folder"), KeyTakenError);
    await assert.rejects(disk.put("folder/a/b"), StorageError);
    assert.deepEqual(await disk.entries(), ["folder", "folder/a"]);
  });
});

describe("DiskStorage.delete", () => {
  const disk = DiskFixture.beforeEach();

  it("removes the folder of a random segment that it leaves empty, and no other folder", async () => {
    const random = randomSegment();
    for (const key of [`a/b/${random}/d`, `${random}/d`, "a/c/d", "e"]) {
      await disk.put(key);
      await disk.storage.delete(key);
    }
    assert.deepEqual(await disk.entries(), ["a", "a/b", "a/c"]);
    assert.ok((await stat(disk.storage.root)).isDirectory());
  });

  it("leaves the folder of a random segment while it has other files", async () => {
    const random = randomSegment();
    await disk.put(`a/${random}/b`);
    await disk.put(`a/${random}/c`);
    await disk.storage.delete(`a/${random}/b`);
    assert.deepEqual(await disk.entries(), ["a", `a/${random}`, `a/${random}/c`]);
  });

  it("refuses what is no key: nothing, the root under each of its names, and what is outside", async () => {
    await disk.put("a/b");
    writeFileSync(join(disk.outside, "kept"), "");
    const { root } = disk.storage;
    for (const key of [
      "",
      ".",
      "/",
      "./",
      "a/..",
      root,
      `${root}/`,
      `${root}/a/b`,
      "../kept",
      "../root",
      "../root/a/b",
    ]) {
      await assert.rejects(disk.storage.delete(key), InvalidKeyError, key);
    }
    assert.deepEqual([await disk.entries(), existsSync(join(disk.outside, "kept"))], [["a", "a/b"], true]);
  });

  it("refuses a folder, be it empty or not", async () => {
    await disk.put("full/a");
    mkdirSync(disk.path("empty"));
    for (const key of ["full", "empty"]) await assert.rejects(disk.storage.delete(key), StorageError);
    assert.deepEqual(await disk.entries(), ["empty", "full", "full/a"]);
  });
});

describe("DiskStorage.removeIncomplete", () => {
  const disk = DiskFixture.beforeEach();

  it("removes what crashed uploads left, and nothing that is under way", async () => {
    assert.equal(await disk.storage.removeIncomplete(new Date()), 0);
    await disk.put("a");
    await writeFile(disk.path(".incomplete", "old"), "half");
    await utimes(disk.path(".incomplete", "old"), 1000, 1000);
    await writeFile(disk.path(".incomplete", "new"), "half");
    assert.equal(await disk.storage.removeIncomplete(new Date(Date.now() - 3_600_000)), 1);
    assert.deepEqual(await disk.entries(), [".incomplete/new", "a"]);
  });

  it("fails an upload whose bytes were removed, and leaves nothing of it", async () => {
    const body = new Readable({ read() {} });
    const putting = disk.storage.put(`${randomSegment()}/b`, body);
    while ((await disk.entries()).length === 0) await new Promise(setImmediate);
    assert.equal(await disk.storage.removeIncomplete(new Date(Date.now() + 60_000)), 1);
    body.push(null);
    await assert.rejects(putting, (error) => error instanceof StorageError && causeOf(error) === "ENOENT");
    assert.deepEqual(await disk.entries(), []);
  });
});

describe("DiskStorage without permission", () => {
  const disk = DiskFixture.beforeEach();

  it("says so with a StorageError, and leaves nothing", async () => {
    await disk.put("secret/a");
    await chmod(disk.outside, 0o755);
    await chmod(disk.storage.root, 0o755);
    await chmod(disk.path("secret", "a"), 0o000);
    // Nothing is forbidden to the superuser: the child becomes somebody else once it has loaded the code.
    const code = `const storage = new DiskStorage(root); if (process.getuid() === 0) process.setuid(65534); else await fs.chmod(root, 0o555);
      const results = [codeOf(storage.read("secret/a")), codeOf(storage.open("secret/a")), codeOf(put(storage, "new/b", 3)), codeOf(storage.delete("secret/a"))];
      return Promise.all(results);`;
    const child = await run(...nodeCommand(disk.storage.root, code));
    await chmod(disk.storage.root, 0o700);
    assert.deepEqual(JSON.parse(child.stdout || "null"), Array(4).fill("StorageError EACCES"), child.stderr);
    assert.deepEqual(await disk.entries(), ["secret", "secret/a"]);
  });
});

function causeOf(error: Error): unknown {
  return (error.cause as NodeJS.ErrnoException).code;
}

async function listed(storage: DiskStorage, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys.sort();
}
