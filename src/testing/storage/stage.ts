import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { buffer, text as string } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { KeyTakenError } from "../../errors.js";
import { UploadError } from "../../storage/upload-error.js";
import { it as always, bodyOf, keys, put, type Subject, sha256, text } from "./subject.js";

/** Takes in bytes that get a key later, where the storage can do that. */
export function describeStage(subject: Subject): void {
  const it = (title: string, test: () => Promise<void>) =>
    always(title, (t: TestContext) => (subject().stage ? test() : t.skip("the storage has no stage()")));

  it("makes no object before the bytes are kept, which can be read as often as one likes", async () => {
    const bytes = randomBytes(1_000_001);
    const staged = await subject().stage!(Readable.from([bytes]), { size: bytes.length });
    assert.equal(staged.size, bytes.length);
    for (let time = 0; time < 2; time++) assert.equal(sha256(await buffer(await staged.read())), sha256(bytes));
    assert.deepEqual(await keys(subject()), []);
    assert.equal((await staged.keep("a/kept")).size, bytes.length);
    await staged.discard();
    assert.equal(sha256(await buffer(await subject().read("a/kept"))), sha256(bytes));
    assert.deepEqual(await keys(subject()), ["a/kept"]);
  });

  it("leaves nothing of what is discarded, once or twice", async () => {
    const staged = await subject().stage!(bodyOf("x"));
    (await staged.read()).destroy();
    for (let time = 0; time < 2; time++) await staged.discard();
    await assert.rejects(staged.keep("a"));
    assert.deepEqual(await keys(subject()), []);
  });

  it("never overwrites, and can be kept under another key then", async () => {
    await put(subject(), "a", "first");
    const staged = await subject().stage!(bodyOf("second"));
    await assert.rejects(staged.keep("a"), (error) => error instanceof KeyTakenError && error.key === "a");
    await staged.keep("b");
    assert.deepEqual([await text(subject(), "a"), await text(subject(), "b")], ["first", "second"]);
  });

  it("keeps nothing of a body that fails, is too short, or whose signal is aborted", async () => {
    const failing = new PassThrough();
    failing.write("half");
    setImmediate(() => failing.destroy(new Error("the client left")));
    const controller = new AbortController();
    controller.abort();
    await assert.rejects(subject().stage!(failing), UploadError);
    await assert.rejects(subject().stage!(bodyOf("x"), { size: 2 }), UploadError);
    await assert.rejects(subject().stage!(bodyOf("x"), { signal: controller.signal }), UploadError);
    assert.deepEqual(await keys(subject()), []);
    assert.ok(failing.destroyed);
  });

  always("takes over a file, as a whole or not at all, where it can do that", async (t: TestContext) => {
    if (!subject().stageFile) return t.skip("the storage has no stageFile()");
    const folder = await mkdtemp(join(tmpdir(), "private-files-"));
    try {
      for (const end of ["keep", "discard"] as const) {
        const path = join(folder, "file");
        await writeFile(path, "whole");
        const staged = await subject().stageFile!(path);
        assert.equal((await readdir(folder)).length, staged ? 0 : 1);
        if (!staged) return t.diagnostic("not from the folder of temporary files");
        assert.deepEqual([staged.size, await string(await staged.read())], [5, "whole"]);
        await staged[end](`taken/${end}`);
      }
      assert.deepEqual(await keys(subject()), ["taken/keep"]);
      assert.equal(await text(subject(), "taken/keep"), "whole");
      assert.equal(await subject().stageFile!(join(folder, "nothing")), undefined);
      assert.equal(await subject().stageFile!(folder), undefined);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}
