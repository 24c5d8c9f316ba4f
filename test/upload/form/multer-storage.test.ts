import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, it } from "node:test";
import { multerStorage } from "typeorm-private-files";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "private-files-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("multerStorage", () => {
  it("keeps a file where only this user can read it, under a name that nobody can guess", async () => {
    const info = await handle(Readable.from([Buffer.from("bytes")]));
    const [name] = await readdir(folder);
    assert.match(name!, /^upload-[0-9a-f]{32}$/);
    const path = join(folder, name!);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(await readFile(path, "utf8"), "bytes");
    assert.equal(info.size, 5);
    assert.equal(JSON.stringify(info), '{"size":5}');
  });

  it("leaves nothing of a file that fails", async () => {
    const failing = new Readable({ read() {} });
    const handling = handle(failing);
    failing.push("half");
    failing.destroy(new Error("the client left"));
    await assert.rejects(handling, /the client left/);
    assert.deepEqual(await readdir(folder), []);
  });

  it("removes a file of a form that was refused, and says so when it can't", async () => {
    const info = await handle(Readable.from([Buffer.from("bytes")]));
    assert.equal(await remove(info), null);
    assert.deepEqual(await readdir(folder), []);
    assert.equal((await remove(info))?.code, "ENOENT");
    assert.equal(await remove({ originalname: "never stored" }), null);
  });
});

function handle(stream: Readable): Promise<{ size: number }> {
  return new Promise((resolve, reject) => {
    multerStorage({ directory: folder })._handleFile({}, { stream }, (error: unknown, info?: unknown) =>
      error ? reject(error) : resolve(info as { size: number }),
    );
  });
}

function remove(file: object): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    multerStorage({ directory: folder })._removeFile({}, file, resolve as (error: unknown) => void);
  });
}
