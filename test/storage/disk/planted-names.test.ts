import assert from "node:assert/strict";
import crypto from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { Readable } from "node:stream";
import { multerStorage } from "typeorm-private-files";
import { StorageError } from "../../../src/errors.js";
import { randomSegment } from "../../../src/storage/key.js";
import { run } from "../../support/programs.js";
import { needs } from "../../support/requirements.js";
import { DiskFixture, descriptorsUnder } from "../../support/storage-disk.js";
import { afterEach, describe, it } from "../../support/suite.js";

/** What somebody else may put under a name before a file is written there. */
const PLANTED: [what: string, plant: (path: string, outside: string) => unknown, skip?: string | false][] = [
  ["a link to a file outside", (path, outside) => symlinkSync(join(outside, "secret"), path)],
  ["a link to nothing", (path, outside) => symlinkSync(join(outside, "nowhere"), path)],
  ["a FIFO", (path) => run("mkfifo", path), needs("mkfifo")],
  ["a folder", (path) => mkdirSync(path)],
];

describe("What is planted before a file is written", () => {
  const disk = DiskFixture.beforeEach();
  const { randomBytes } = crypto;
  afterEach(() => withRandomBytes(randomBytes));

  /** Nothing outside was read, written or made. */
  async function outsideIsAsItWas(): Promise<void> {
    assert.equal(readFileSync(join(disk.outside, "secret"), "utf8"), "secret");
    assert.ok(!existsSync(join(disk.outside, "nowhere")));
    if (process.platform === "linux") assert.deepEqual(await descriptorsUnder(disk.outside), []);
  }

  for (const [what, plant, skip] of PLANTED) {
    it(`under the name of the temporary file is not followed, and stays, though its random name was guessed: ${what}`, {
      skip,
    }, async () => {
      writeFileSync(join(disk.outside, "secret"), "secret");
      await disk.put("first");
      withRandomBytes((size: number) => Buffer.alloc(size, 7));
      const name = randomSegment();
      await plant(disk.path(".incomplete", name), disk.outside);
      for (const write of [
        () => disk.put("a"),
        () => disk.storage.stage(Readable.from([Buffer.from("bytes")])),
        () => disk.storage.copy("first", "a"),
      ]) {
        await assert.rejects(write, (error) => {
          assert.ok(error instanceof StorageError, String(error));
          return (error.cause as NodeJS.ErrnoException).code === "EEXIST";
        });
      }
      assert.deepEqual(readdirSync(disk.path(".incomplete")), [name]);
      await outsideIsAsItWas();
      withRandomBytes(randomBytes);
      await disk.put("a");
      assert.equal((await disk.storage.stat("a"))?.size, 5);
    });

    it(`under the key is not followed, and stays: ${what}`, { skip }, async () => {
      writeFileSync(join(disk.outside, "secret"), "secret");
      await disk.put("first");
      await plant(disk.path("a"), disk.outside);
      await assert.rejects(disk.put("a"), { name: "KeyTakenError" });
      await assert.rejects(disk.storage.copy("first", "a"), { name: "KeyTakenError" });
      const staged = await disk.storage.stage(Readable.from([Buffer.from("bytes")]));
      await assert.rejects(staged.keep("a"), { name: "KeyTakenError" });
      await staged.discard();
      assert.deepEqual(
        [readdirSync(disk.path()).sort(), readdirSync(disk.path(".incomplete"))],
        [[".incomplete", "a", "first"], []],
      );
      await outsideIsAsItWas();
    });

    it(`under the name of a form's temporary file is not followed, though it was guessed: ${what}`, {
      skip,
    }, async () => {
      writeFileSync(join(disk.outside, "secret"), "secret");
      withRandomBytes((size: number) => Buffer.alloc(size, 7));
      await plant(disk.path(`upload-${"07".repeat(16)}`), disk.outside);
      const engine = multerStorage({ directory: disk.path() });
      const stream = Readable.from([Buffer.from("bytes")]);
      const error = await new Promise((resolve) => engine._handleFile({}, { stream }, resolve));
      assert.equal((error as NodeJS.ErrnoException).code, "EEXIST");
      await outsideIsAsItWas();
    });
  }
});

/** Has every module take its randomness from here. */
function withRandomBytes(source: unknown): void {
  crypto.randomBytes = source as typeof crypto.randomBytes;
  syncBuiltinESMExports();
}
