import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { link, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type Koa from "koa";
import { filmOf } from "../fixture/film.js";
import type { Answer } from "../fixture/http-client.js";
import type { Subject } from "./subject.js";

/** Files that are replaced after they were checked and before they are sent. */
export function describeSwappedFiles({ withFilm }: Subject): void {
  for (const { what, swap, program, release } of SWAPS) {
    for (const size of [20, 1_000_000]) {
      it(`is ${what}: what was checked is sent, or 404 (${size} bytes)`, async (t) => {
        if (program && spawnSync(program).error) return t.skip(`not installed: ${program}`);
        // Before the folder is removed: after-hooks run in the order of their registration.
        t.after(() => release?.(started.path));
        const bytes = filmOf(size);
        const started = await withFilm(t, {
          content: bytes,
          before: waitAfterwards,
          async beforeDownload() {
            const { path } = started;
            for (const secret of [besides(path), outside(path)]) await writeFile(secret, SECRET);
            await rm(path);
            await swap(path);
          },
        });
        const { application, url } = started;
        const { status, body } = await unlessItHangs(application.get(url));
        if (status === 200) assert.ok(body.equals(bytes));
        else assert.deepEqual([status, body.toString()], [404, "Not Found"]);
        assert.ok(!body.includes(SECRET));
        assert.equal((await application.get(url, { method: "POST" })).status, 405);
      });
    }
  }
}

const SECRET = "the secret of another file";

interface Swap {
  /** What the file is now. */
  what: string;
  /** Puts it in the place of the file, which is deleted. */
  swap(path: string): unknown;
  /** The program that makes it. */
  program?: string;
  /** Ends what may still wait for it. */
  release?(path: string): void;
}

const SWAPS: Swap[] = [
  { what: "deleted", swap: () => {} },
  { what: "a link to a file outside", swap: (path) => symlink(outside(path), path) },
  { what: "a link to a file inside", swap: (path) => symlink(besides(path), path) },
  { what: "another file", swap: (path) => writeFile(path, SECRET) },
  { what: "another file by a hard link", swap: (path) => link(besides(path), path) },
  { what: "a folder", swap: (path) => mkdir(path) },
  { what: "a FIFO", swap: (path) => execFileSync("mkfifo", [path]), program: "mkfifo", release: openFifo },
];

/** A path in the folder of the file. */
function besides(path: string): string {
  return join(dirname(path), "beside");
}

/** A path outside of the storage. */
function outside(path: string): string {
  return join(path, "../../../../secret");
}

/** Ends the waiting of a delivery that opened the FIFO, which would keep the process from ending. */
function openFifo(path: string): void {
  closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
}

/** Delays the answer: Koa opens nothing before all middleware is done. */
function waitAfterwards(app: Koa): void {
  app.use(async (_ctx, next) => {
    await next();
    await sleep(20);
  });
}

/** A delivery that opens a FIFO would wait for ever. */
async function unlessItHangs(answer: Promise<Answer>): Promise<Answer> {
  const first = await Promise.race([answer, sleep(60_000, undefined, { ref: false })]);
  return first ?? assert.fail("the delivery hangs");
}
