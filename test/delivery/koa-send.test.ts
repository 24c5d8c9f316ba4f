import assert from "node:assert/strict";
import fs from "node:fs";
import { mkdtemp, rm, symlink, unlink, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { inspect } from "node:util";
import {
  ConfigurationError,
  DiskStorage,
  type KoaSendDeliveryOptions,
  koaSendDelivery,
  PrivateFileError,
  type Storage,
} from "typeorm-private-files";
import { describeDelivery } from "typeorm-private-files/testing";
import { adoptedFile } from "../support/adopted-file.js";
import { changeOpened } from "../support/application.js";
import { eventually } from "../support/eventually.js";
import { Film, filmOf, withFilm } from "../support/film.js";
import { run } from "../support/programs.js";
import { all, takesLong } from "../support/requirements.js";
import { descriptorsUnder, ioError } from "../support/storage-disk.js";

if (all) describeDelivery("koaSendDelivery", koaSendDelivery, { thorough: true });
else it("koaSendDelivery does what every delivery must do", { skip: takesLong });

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

  it("says maxAge alone without immutable, and 0 as it is", async (t) => {
    for (const maxAge of [0, 1000]) {
      const { application, url } = await withFilm(t, { content, options: { delivery: koaSendDelivery({ maxAge }) } });
      assert.equal((await application.get(url)).headers["cache-control"], `private, max-age=${maxAge / 1000}`);
    }
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
    { maxAge: Number.POSITIVE_INFINITY },
    { stallTimeout: 0 },
  ]) {
    it(`refuses ${inspect(options)} when it is made`, () => {
      assert.throws(() => koaSendDelivery(options as never), ConfigurationError);
    });
  }

  it("answers 503 with Retry-After, not an empty reply, when there is no descriptor for it, and 500 when it may not read", async (t) => {
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
      const { cause } = application.errors.at(-1) as { cause: Error };
      if (status === 404) assert.match(String(cause.cause), /ENOENT/);
      if (status === 500)
        assert.match(`${cause}`, new RegExp(`^StorageError: films/.*mp4: opening it failed with ${code}\\.`));
    }
    code = "";
    assert.equal((await application.get(url)).status, 200);
  });

  it("cuts the connection when the disk fails in the middle, and lets go of the file", {
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

  it("sends the open file, whatever has become of its name and however it has grown", {
    skip: process.platform !== "linux",
  }, async (t) => {
    const seen: string[] = [];
    const setHeaders = (_res: unknown, path: string) => seen.push(path);
    const started = await withFilm(t, {
      content,
      options: { delivery: koaSendDelivery({ setHeaders }) },
      async beforeDownload() {
        await fs.promises.appendFile(started.path, "x");
        await unlink(started.path);
        (started.application.storage as Storage).path = undefined;
      },
    });
    const { status, body } = await started.application.get(started.url);
    assert.deepEqual([status, body.equals(content)], [200, true]);
    assert.match(seen.join(), /^\/proc\/self\/fd\/\d+$/);
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

  describe("where no path leads to the open file", () => {
    it("sends the file that was looked at, by its own path", async (t) => {
      const { application, url, path } = await withPathOnly(t);
      assert.ok((await application.get(url)).body.equals(content));
      await utimes(path, 0, 0);
      changeOpened(application, () => ({}));
      const { status, headers } = await application.get(url);
      assert.deepEqual([status, headers["last-modified"]], [200, undefined]);
    });

    it("sends it as it is, whatever its name would be decoded to, and whatever lies beside it", async (t) => {
      const { application, path } = await withPathOnly(t);
      const { dataSource, files } = application;
      for (const name of ["%2e%2e%2fsecret.pdf", "%41.pdf", "100%.pdf", ".env.pdf", "a b?c#d.pdf"]) {
        const other = join(dirname(path), name);
        await fs.promises.writeFile(other, name);
        for (const extension of [".gz", ".br", ".html"])
          await fs.promises.writeFile(other + extension, "another one's");
        const key = relative(application.storage.root, other);
        const film = dataSource.manager.create(Film, { file: adoptedFile(dataSource, Film, "file", key) });
        await dataSource.manager.save(film);
        changeOpened(application, () => ({}));
        for (const encoding of ["identity", "gzip", "br", "gzip, br"]) {
          const answer = await application.get(files.url(film, "file"), { headers: { "Accept-Encoding": encoding } });
          assert.deepEqual([answer.status, answer.body.toString()], [200, name]);
          assert.equal(answer.headers["content-encoding"], undefined);
        }
      }
    });

    const changes: [what: string, change: (path: string) => Promise<unknown>, content?: Buffer][] = [
      ["longer", (path) => fs.promises.appendFile(path, "x")],
      [
        "longer, with its time put back",
        async (path) => {
          const { atime, mtime } = await fs.promises.stat(path);
          await fs.promises.appendFile(path, "x");
          await utimes(path, atime, mtime);
        },
      ],
      ["of another time", (path) => utimes(path, 1, 1)],
      ["gone", unlink],
      ["a link to a device", (path) => unlink(path).then(() => symlink("/dev/zero", path))],
      ["a folder", (path) => unlink(path).then(() => fs.promises.mkdir(path))],
      [
        "a FIFO of its size and time",
        async (path) => {
          const { mtime } = await fs.promises.stat(path);
          await unlink(path);
          assert.equal((await run("mkfifo", path)).code, 0);
          await utimes(path, mtime, mtime);
        },
        Buffer.alloc(0),
      ],
      [
        "in a folder that is a file now",
        async (path) => {
          await rm(dirname(path), { recursive: true });
          await fs.promises.writeFile(dirname(path), "");
        },
      ],
    ];
    for (const [what, change, bytes = content] of changes) {
      it(`answers 404, and asks setHeaders of nothing, when it is ${what} before koa-send looks at it`, async (t) => {
        // It would open a FIFO otherwise, and wait for ever.
        const setHeaders = () => assert.fail("koa-send goes on");
        const { application, url, path } = await withPathOnly(t, { setHeaders }, bytes);
        const open = application.storage.open.bind(application.storage);
        application.storage.open = async (key) => {
          const object = await open(key);
          await change(path);
          return object;
        };
        const answer = await application.get(url);
        assert.deepEqual([answer.status, answer.body.toString()], [404, "Not Found"]);
        const [error] = application.errors as [Error & { code: string }];
        assert.deepEqual([error.code, error.cause instanceof PrivateFileError], ["ERR_PRIVATE_FILE_NOT_FOUND", true]);
      });
    }

    it("answers 404, and lets go of the file, when it is another one after koa-send looked at it", async (t) => {
      const { application, url, path } = await withPathOnly(t, {
        setHeaders(_res, seen) {
          fs.writeFileSync(`${seen}.new`, "another one's");
          fs.renameSync(`${seen}.new`, seen);
        },
      });
      const answer = await application.get(url);
      assert.deepEqual([answer.status, answer.body.toString()], [404, "Not Found"]);
      assert.equal(await fs.promises.readFile(path, "utf8"), "another one's");
      if (process.platform === "linux") {
        await eventually(async () => assert.deepEqual(await descriptorsUnder(application.storage.root), []));
      }
    });

    async function withPathOnly(t: TestContext, options?: KoaSendDeliveryOptions, bytes = content) {
      const started = await withFilm(t, { content: bytes, options: { delivery: koaSendDelivery(options) } });
      changeOpened(started.application, () => ({}));
      return started;
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
