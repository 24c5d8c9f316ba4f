import assert from "node:assert/strict";
import fs from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { KeyTakenError, StorageError } from "../../../src/errors.js";
import { randomSegment } from "../../../src/storage/key.js";
import { UploadError } from "../../../src/storage/upload-error.js";
import { run } from "../../support/programs.js";
import { DiskFixture, descriptorsUnder, generated, ioError, nodeCommand, onOpen } from "../../support/storage-disk.js";

/** As `attach` makes them: only the folder of a random segment is removed again. */
const FOLDER = randomSegment();
const KEY = `${FOLDER}/a`;
const onLinux = process.platform === "linux" ? false : "only Linux has /proc";

describe("DiskStorage.put on a disk that fails", () => {
  const disk = DiskFixture.beforeEach();

  /** A put that must fail with this error of the disk, and leave nothing; the next one works. */
  async function failsWith(code: string, t: TestContext): Promise<void> {
    const body = generated(2 * 1024 * 1024);
    await assert.rejects(disk.storage.put(KEY, body), (error) => {
      assert.ok(error instanceof StorageError, String(error));
      assert.equal((error.cause as NodeJS.ErrnoException).code, code);
      return !error.message.includes(disk.storage.root);
    });
    assert.ok(body.destroyed);
    assert.deepEqual(await disk.entries(), []);
    if (!onLinux) assert.deepEqual(await descriptorsUnder(disk.storage.root), []);
    t.mock.restoreAll();
    await disk.put(KEY);
  }

  for (const method of ["writev", "datasync", "stat", "close"] as const) {
    it(`keeps nothing when ${method} of the file fails`, async (t) => {
      onOpen(t, ".incomplete/", (handle) => {
        const close = handle.close.bind(handle);
        handle[method] = async () => {
          if (method === "close") await close();
          throw ioError("EIO");
        };
      });
      await failsWith("EIO", t);
    });
  }

  for (const method of ["mkdir", "link"] as const) {
    it(`keeps nothing when ${method} fails`, async (t) => {
      await disk.put("first");
      await disk.storage.delete("first");
      t.mock.method(fs, method, () => Promise.reject(ioError("ENOSPC")));
      await failsWith("ENOSPC", t);
    });
  }

  it("keeps nothing when the folder can't be synced", async (t) => {
    onOpen(
      t,
      FOLDER,
      (handle) => {
        handle.sync = () => Promise.reject(ioError("EIO"));
      },
      FOLDER,
    );
    await failsWith("EIO", t);
  });

  it("takes a folder that has no sync for one that needs none", async (t) => {
    onOpen(
      t,
      "new/deep",
      (handle) => {
        handle.sync = () => Promise.reject(ioError("EINVAL"));
      },
      "deep",
    );
    await disk.put("new/deep/a");
    assert.deepEqual(await disk.entries(), ["new", "new/deep", "new/deep/a"]);
  });

  it("keeps nothing when an upload is aborted after its last byte", async (t) => {
    const controller = new AbortController();
    onOpen(t, ".incomplete/", (handle) => {
      const datasync = handle.datasync.bind(handle);
      handle.datasync = () => datasync().then(() => controller.abort("late"));
    });
    const putting = disk.storage.put("a/b", Readable.from([Buffer.from("x")]), { signal: controller.signal });
    await assert.rejects(putting, (error) => error instanceof UploadError && error.cause === "late");
    assert.deepEqual(await disk.entries(), []);
  });

  it("keeps nothing of a file that grows beyond what the system allows it", async () => {
    const code = `const storage = new DiskStorage(root);
      const results = [await codeOf(put(storage, "a/b", 4_000_000)), await codeOf(put(storage, "c", 100))];
      return [...results, (await fs.readdir(root)).sort(), await fs.readdir(root + "/.incomplete")];`;
    const child = await run("sh", "-c", 'ulimit -f 1024 && exec "$@"', "sh", ...nodeCommand(disk.storage.root, code));
    const expected = ["StorageError EFBIG", "done", [".incomplete", "c"], []];
    assert.deepEqual(JSON.parse(child.stdout || "null"), expected, child.stderr);
  });

  it("keeps nothing on a full disk, and goes on when there is space again", async (t) => {
    const mount = join(disk.outside, "full");
    await fs.mkdir(mount);
    const code = `const storage = new DiskStorage(root + "/root"); const results = [];
      for (const length of [3_000_000, 1_500_000, 1_500_000]) results.push(await codeOf(put(storage, "k/" + results.length, length)));
      await storage.delete("k/1"); results.push(await codeOf(put(storage, "k/3", 1_500_000)));
      return [...results, await fs.readdir(storage.root + "/k"), await fs.readdir(storage.root + "/.incomplete")];`;
    const inMount = 'mount -t tmpfs -o size=2m none "$1" && shift && exec "$@"';
    const child = await run(
      "unshare",
      "--user",
      "--map-root-user",
      "--mount",
      "sh",
      "-c",
      inMount,
      "sh",
      mount,
      ...nodeCommand(mount, code),
    );
    if (child.stdout === "") return t.skip(`no small disk can be mounted here: ${child.stderr}`);
    assert.deepEqual(JSON.parse(child.stdout), [
      "StorageError ENOSPC",
      "done",
      "StorageError ENOSPC",
      "done",
      ["3"],
      [],
    ]);
  });
});

describe("DiskStorage.put on a disk without hard links", () => {
  const disk = DiskFixture.beforeEach();

  for (const code of ["EPERM", "ENOTSUP", "EXDEV", "EMLINK"]) {
    it(`writes, and never overwrites, when link answers ${code}`, async (t) => {
      t.mock.method(fs, "link", () => Promise.reject(ioError(code)));
      await disk.put("a/b", "first");
      await assert.rejects(disk.put("a/b", "second"), KeyTakenError);
      assert.equal(await text(await disk.storage.read("a/b")), "first");
      assert.deepEqual(await disk.entries(), ["a", "a/b"]);
    });
  }

  it("lets one of 50 concurrent writers win, and shows no reader a part", async (t) => {
    t.mock.method(fs, "link", () => Promise.reject(ioError("EPERM")));
    let writing = true;
    const sizes = new Set<number | undefined>();
    const watching = (async () => {
      while (writing) sizes.add((await disk.storage.stat("same"))?.size);
    })();
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => disk.put("same", "x".repeat(1000))));
    writing = false;
    await watching;
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    for (const result of results) if (result.status === "rejected") assert.ok(result.reason instanceof KeyTakenError);
    assert.deepEqual(
      [...sizes].filter((size) => size !== undefined && size !== 1000),
      [],
    );
    assert.deepEqual(await disk.entries(), ["same"]);
  });

  it("keeps nothing when rename fails, too", async (t) => {
    t.mock.method(fs, "link", () => Promise.reject(ioError("EXDEV")));
    t.mock.method(fs, "rename", () => Promise.reject(ioError("EXDEV")));
    await assert.rejects(disk.put(KEY), StorageError);
    assert.deepEqual(await disk.entries(), []);
  });
});
