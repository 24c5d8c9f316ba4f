import assert from "node:assert/strict";
import { chmod, chown, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskStorage } from "typeorm-private-files";
import { afterEach, beforeEach, describe, it } from "../../support/suite.js";

let folder: string;
let path: string;
let storage: DiskStorage;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "private-files-"));
  path = join(folder, "upload");
  storage = new DiskStorage(join(folder, "files"), { fileMode: 0o640 });
  await writeFile(path, "whole", { mode: 0o600 });
});
afterEach(() => rm(folder, { recursive: true }));

const incomplete = () => readdir(join(storage.root, ".incomplete"));

async function assertLeft(file = path): Promise<void> {
  assert.equal(await storage.stageFile(file), undefined);
  assert.equal(await readFile(file, "utf8"), "whole");
  assert.deepEqual(await incomplete(), []);
}

describe("A file that a disk takes over", () => {
  it("is the very same file, with the permissions of the storage's files", async () => {
    const { ino } = await stat(path);
    const staged = (await storage.stageFile(path))!;
    await staged.keep("a/b");
    const kept = await stat(storage.path("a/b"));
    assert.deepEqual([kept.ino, kept.nlink, kept.mode & 0o777], [ino, 1, 0o640 & ~process.umask()]);
    assert.deepEqual([await readdir(folder), await incomplete()], [["files"], []]);
  });

  it("stays where it is if it has another name, by which somebody could write to it", async () => {
    await link(path, join(folder, "other"));
    await assertLeft();
  });

  it("stays where it is if it is a symbolic link", async () => {
    await symlink(path, join(folder, "link"));
    await assertLeft(join(folder, "link"));
  });

  it("stays where it is if the storage's files get another group", {
    skip: process.getuid?.() !== 0 && "only root can give files away",
  }, async () => {
    const own = join(storage.root, ".incomplete");
    await mkdir(own, { recursive: true });
    await chown(own, process.getuid!(), 12_345);
    await chmod(own, 0o2700);
    await assertLeft();
  });

  it("stays where it is if it is on another file system", async (t) => {
    const other = await mkdtemp("/dev/shm/private-files-").catch(() => undefined);
    if (other === undefined || (await stat(other)).dev === (await stat(folder)).dev)
      return t.skip("there is one alone");
    t.after(() => rm(other, { recursive: true }));
    await writeFile(join(other, "upload"), "whole");
    await assertLeft(join(other, "upload"));
  });
});
