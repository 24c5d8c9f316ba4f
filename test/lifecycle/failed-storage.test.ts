import assert from "node:assert/strict";
import fs, { type FileHandle, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { type Archive, openArchive } from "../support/archive.js";
import { sqljs } from "../support/databases.js";
import { run } from "../support/programs.js";
import { Report } from "../support/report.js";
import { ioError } from "../support/storage-disk.js";

describe("A storage that fails", () => {
  let archive: Archive;
  before(async () => {
    archive = await openArchive(sqljs, { entities: [Report] });
  });
  after(() => archive.close());

  for (const code of ["EIO", "ENOSPC", "EACCES", "EMFILE", "EROFS", "EDQUOT"]) {
    it(`keeps the row and the old file when any one call of a replacement answers ${code}`, async (t) => {
      const { files, dataSource, storage } = archive;
      const { manager } = dataSource;
      const outcomes = { refused: 0, replaced: 0 };
      for (let n = 1; ; n++) {
        const report = await manager.save(await attached("old"));
        const { key } = report.file;
        const failure = failNth(t, n, code);
        const refusal = await files.attach(report, "file", Buffer.from("new")).catch((error) => error);
        if (refusal === report.file) await manager.save(report);
        failure.end();
        const row = await manager.findOneByOrFail(Report, { id: report.id });
        const content = await text(await files.open(row, "file"));
        if (refusal instanceof Error) {
          outcomes.refused++;
          assert.deepEqual([refusal.name, (refusal.cause as NodeJS.ErrnoException)?.code], ["StorageError", code]);
          assert.equal(refusal.message.includes(storage.root), false);
          assert.deepEqual([content, row.file.key, report.file.key], ["old", key, key], failure.call);
          assert.deepEqual(await archive.keys(), [key], failure.call);
        } else {
          outcomes.replaced++;
          assert.equal(content, "new", failure.call);
          const left = (await archive.keys()).filter((one) => one !== row.file.key);
          assert.deepEqual(
            left.filter((one) => one !== key),
            [],
            failure.call,
          );
          if (left.length === 1) await storage.delete(key);
        }
        const incomplete = await readdir(join(storage.root, ".incomplete"));
        // One that can't be removed is left to a sweep.
        assert.equal(incomplete.length <= (failure.call?.startsWith("unlink") ? 1 : 0), true, failure.call);
        await manager.remove(row);
        await storage.removeIncomplete(new Date(Date.now() + 60_000));
        if (failure.call === undefined) break;
      }
      t.diagnostic(`${outcomes.refused} calls made attach fail, ${outcomes.replaced - 1} did not`);
      assert.ok(outcomes.refused > 8 && outcomes.replaced > 3, JSON.stringify(outcomes));
    });
  }

  it("keeps the row and the old file on a disk that is full, and replaces it when there is space again", async (t) => {
    const mount = await mkdtemp(join(tmpdir(), "private-files-"));
    t.after(() => rm(mount, { recursive: true }));
    const child = fileURLToPath(new URL("./full-disk.js", import.meta.url));
    const inMount = 'mount -t tmpfs -o size=2m none "$1" && exec "$2" "$3" "$1"';
    const mounting = ["--user", "--map-root-user", "--mount", "sh", "-c", inMount, "sh"];
    const { stdout, stderr } = await run("unshare", ...mounting, mount, process.execPath, child);
    if (stdout === "") return t.skip(`no small disk can be mounted here: ${stderr}`);
    assert.deepEqual(JSON.parse(stdout), {
      full: ["StorageError", "ENOSPC"],
      afterwards: { content: "old", keys: 1, incomplete: 0 },
      withSpace: { content: "new", keys: 1, incomplete: 0 },
    });
  });

  async function attached(content: string): Promise<Report> {
    const report = archive.dataSource.manager.create(Report, {});
    await archive.files.attach(report, "file", Buffer.from(content));
    return report;
  }
});

/** Makes the nth call to the file system fail, whichever it is, until `end`. `call` is its name once it happened. */
function failNth(t: TestContext, nth: number, code: string): { call?: string; end(): void } {
  let calls = 0;
  const failure: { call?: string; end(): void } = { end: () => t.mock.restoreAll() };
  const mayFail = (name: string) => {
    if (++calls !== nth) return;
    failure.call = name;
    throw ioError(code);
  };
  for (const name of ["open", "mkdir", "link", "unlink", "lstat", "rmdir", "realpath", "opendir"] as const) {
    const original = fs[name].bind(fs) as (...given: unknown[]) => Promise<unknown>;
    t.mock.method(fs, name, async (...given: unknown[]) => {
      mayFail(`${name} ${given[0]}`);
      const result = await original(...given);
      if (name === "open") failCallsOf(result as FileHandle, given[0] as string, mayFail);
      return result;
    });
  }
  return failure;
}

function failCallsOf(handle: FileHandle, path: string, mayFail: (name: string) => void): void {
  for (const name of ["writev", "write", "datasync", "sync", "stat", "close"] as const) {
    const original = handle[name].bind(handle) as (...given: unknown[]) => Promise<never>;
    handle[name] = async (...given: unknown[]) => {
      // Linux lets go of a descriptor whose close fails.
      if (name === "close") await original(...given);
      mayFail(`${name} of ${path}`);
      return name === "close" ? (undefined as never) : original(...given);
    };
  }
}
