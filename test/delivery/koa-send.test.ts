import assert from "node:assert/strict";
import fs from "node:fs";
import { mkdtemp, rm, symlink, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ConfigurationError, DiskStorage, koaSendDelivery, type Storage } from "typeorm-private-files";
import { changeOpened } from "../support/application.js";
import { describeDelivery } from "../support/delivery-contract.js";
import { eventually } from "../support/eventually.js";
import { filmOf, withFilm } from "../support/film.js";
import { descriptorsUnder, ioError } from "../support/storage-disk.js";

describeDelivery("koaSendDelivery", koaSendDelivery);

describe("koaSendDelivery", () => {
  const content = filmOf(1_000_000);

  it("sends a whole file through koa-send, and ranges without it", async (t) => {
    const seen: string[] = [];
    const delivery = koaSendDelivery({
      setHeaders(res, path, stats) {
        seen.push(path);
        res.setHeader("X-Size", stats.size);
      },
    });
    const { application, url, path } = await withFilm(t, { content, options: { delivery } });
    const whole = await application.get(url);
    assert.ok(whole.body.equals(content));
    assert.equal(whole.headers["x-size"], "1000000");
    const part = await application.get(url, { headers: { Range: "bytes=10-19" } });
    assert.ok(part.body.equals(content.subarray(10, 20)));
    assert.equal(part.headers["x-size"], undefined);
    assert.deepEqual(seen, [path]);
  });

  it("says maxAge and immutable in Cache-Control, always as private, for GET, HEAD and 304 alike", async (t) => {
    const delivery = koaSendDelivery({ maxAge: 60_500, immutable: true });
    const { application, url } = await withFilm(t, { content, options: { delivery } });
    const { etag } = (await application.get(url)).headers;
    for (const ask of [{}, { method: "HEAD" }, { headers: { "If-None-Match": etag } }]) {
      const { headers } = await application.get(url, ask);
      assert.equal(headers["cache-control"], "private, max-age=60, immutable");
    }
  });

  for (const options of [
    { gzip: true },
    { gzip: false },
    { brotli: true },
    { root: "/" },
    { hidden: false },
    { extensions: ["html"] },
    { index: "index.html" },
    { maxAge: -1 },
    { maxAge: Number.NaN },
    { stallTimeout: 0 },
  ]) {
    it(`refuses ${JSON.stringify(options)} when it is made`, () => {
      assert.throws(() => koaSendDelivery(options as never), ConfigurationError);
    });
  }

  it("answers 503 with Retry-After, not an empty reply, when there is no descriptor for it, and 500 when it may not read (K6, H63)", async (t) => {
    const { application, url } = await withFilm(t, { content, options: { delivery: koaSendDelivery() } });
    const open = fs.open.bind(fs);
    let code = "";
    t.mock.method(fs, "open", (...all: Parameters<typeof fs.open>) =>
      code ? (all.at(-1) as (error: Error) => void)(ioError(code)) : open(...all),
    );
    for (const [failure, status, retryAfter] of [
      ["EMFILE", 503, "5"],
      ["ENFILE", 503, "5"],
      ["EACCES", 500, undefined],
      ["EIO", 500, undefined],
      ["ENOENT", 404, undefined],
    ] as const) {
      code = failure;
      const answer = await application.get(url);
      assert.deepEqual([answer.status, answer.headers["retry-after"]], [status, retryAfter]);
      assert.ok(!/films|private-files-|mp4/.test(answer.body.toString()));
      assert.equal(answer.headers["content-disposition"], undefined);
    }
    code = "";
    assert.equal((await application.get(url)).status, 200);
  });

  it("cuts the connection when the disk fails in the middle, and lets go of the file (H63)", {
    skip: process.platform !== "linux",
  }, async (t) => {
    const { application, url } = await withFilm(t, { content, options: { delivery: koaSendDelivery() } });
    const read = fs.read.bind(fs);
    let reads = 0;
    t.mock.method(fs, "read", (...all: unknown[]) =>
      ++reads > 3
        ? (all.at(-1) as (error: Error) => void)(ioError("EIO"))
        : (read as (...all: unknown[]) => void)(...all),
    );
    await assert.rejects(application.get(url), /aborted|socket hang up/);
    await eventually(async () => assert.match(String(application.errors), /EIO/));
    await eventually(async () => assert.deepEqual(await descriptorsUnder(application.storage.root), []));
  });

  it("passes on what setHeaders throws, and keeps none of the file's headers", async (t) => {
    const delivery = koaSendDelivery({
      setHeaders() {
        throw new Error("no");
      },
    });
    const { application, url } = await withFilm(t, { content, options: { delivery } });
    const { status, headers } = await application.get(url);
    assert.deepEqual([status, headers.etag, headers["content-disposition"]], [500, undefined, undefined]);
    assert.match(String((application.errors[0] as Error).cause), /no/);
  });

  it("asks before and after koa-send opens a path whether it is the file that was looked at, where no path leads to the open one", async (t) => {
    const { application, url, path } = await withFilm(t, { content, options: { delivery: koaSendDelivery() } });
    changeOpened(application, () => ({}));
    assert.ok((await application.get(url)).body.equals(content));
    const changes: (() => Promise<void>)[] = [
      async () => fs.promises.appendFile(path, "x"),
      async () => {
        await fs.promises.rename(path, `${path}.old`);
        await symlink("/dev/zero", path);
      },
      async () => unlink(path),
    ];
    for (const change of changes) {
      changeOpened(application, () => ({}));
      const open = application.storage.open.bind(application.storage);
      application.storage.open = async (key) => {
        const object = await open(key);
        await change();
        application.storage.open = open;
        return object;
      };
      const answer = await application.get(url);
      assert.deepEqual([answer.status, answer.body.toString()], [404, "Not Found"]);
      await fs.promises.rm(path, { force: true });
      await fs.promises.writeFile(path, content);
    }
  });

  it("sends what is on no disk as streamDelivery does", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "private-files-"));
    t.after(() => rm(folder, { recursive: true }));
    const disk = new DiskStorage(folder);
    const storage: Storage = {
      put: (...all) => disk.put(...all),
      stat: (key) => disk.stat(key),
      read: (...all) => disk.read(...all),
      delete: (key) => disk.delete(key),
      list: (prefix) => disk.list(prefix),
    };
    const setHeaders = () => assert.fail("koa-send was asked");
    const options = { storage, delivery: koaSendDelivery({ setHeaders }) };
    const { application, url } = await withFilm(t, { content, options });
    assert.ok((await application.get(url)).body.equals(content));
  });
});
