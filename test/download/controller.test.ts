import assert from "node:assert/strict";
import { cp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { METHODS } from "node:http";
import { describe, it, type TestContext } from "node:test";
import { inspect } from "node:util";
import type { Context } from "koa";
import {
  Column,
  DataSource,
  DeleteDateColumn,
  Entity,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
} from "typeorm";
import { type Delivery, InvalidKeyError, PrivateFile, PrivateFileColumn, streamDelivery } from "typeorm-private-files";
import { adoptedFile } from "../support/adopted-file.js";
import { type Application, type Ask, type StartOptions, startApplication } from "../support/application.js";
import type { TestDatabase } from "../support/databases.js";

let rule: (ctx: Context, document: Document) => unknown = () => true;

@Entity()
class User {
  @PrimaryColumn({ length: 50 }) id!: string;
}

@Entity()
class Document {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: "secret" }) password!: string;
  @Column({ default: "a" }) tenant!: string;
  @DeleteDateColumn() deletedAt!: Date | null;
  @ManyToOne(() => User, { nullable: true }) owner!: Relation<User> | null;

  @PrivateFileColumn<Document>({
    uploadTo: "documents",
    nullable: true,
    condition: (ctx, document) => rule(ctx, document) as boolean,
    relations: { owner: true },
  })
  file!: PrivateFile | null;

  @PrivateFileColumn<Document>({ nullable: true, attachment: false, condition: () => true }) shown!: PrivateFile | null;
  @PrivateFileColumn<Document>({ nullable: true, select: false, condition: () => true }) hidden!: PrivateFile | null;
  @PrivateFileColumn<Document>({
    nullable: true,
    condition: () => true,
    where: (ctx) => {
      const [tenant = undefined as never, ...others] = ctx.get("x-tenant").split(",").filter(Boolean);
      return others.length === 0 ? { tenant } : [{ tenant }, ...others.map((other) => ({ tenant: other }))];
    },
    filename: (document) => `Document "${document.id}" für dich.pdf`,
    cacheControl: "private, max-age=60",
  })
  scoped!: PrivateFile | null;
}

const bytes = Buffer.from("0123456789a");
const modifiedAt = new Date("2014-06-25T17:12:18.000Z");

describe("a GET", () => {
  it("answers 200 with the bytes and every header that keeps a private file private", async (t) => {
    const { application, url } = await withDocument(t);
    const { status, headers, body } = await application.get(url);
    assert.equal(status, 200);
    assert.deepEqual(body, bytes);
    const { date, connection, "keep-alive": _, etag, "last-modified": lastModified, ...rest } = headers;
    assert.match(etag!, /^"[\w-]{27}"$/);
    assert.ok(new Date(lastModified!) <= new Date(date!));
    assert.deepEqual(rest, {
      "accept-ranges": "bytes",
      "cache-control": "private, no-store",
      "content-disposition": 'attachment; filename="report.pdf"',
      "content-length": "11",
      "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'self'",
      "content-type": "application/pdf",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
    assert.deepEqual(application.errors, []);
  });

  it("sends an empty file as 200 with no bytes", async (t) => {
    const { application, url } = await withDocument(t, { content: Buffer.alloc(0) });
    const { status, headers, body } = await application.get(url);
    assert.deepEqual([status, headers["content-length"], body.length], [200, "0", 0]);
  });

  for (const size of [65_535, 65_536, 65_537, 327_680, 5_000_000]) {
    it(`sends all of a file of ${size} bytes, and any range of it`, async (t) => {
      const content = Buffer.from(Array.from({ length: size }, (_, index) => index % 251));
      const { application, url } = await withDocument(t, { content });
      const whole = await application.get(url);
      assert.equal(whole.headers["content-length"], String(size));
      assert.ok(whole.body.equals(content));
      const part = await application.get(url, { headers: { Range: `bytes=100-${size - 2}` } });
      assert.equal(part.status, 206);
      assert.ok(part.body.equals(content.subarray(100, size - 1)));
    });
  }

  it("tells nginx to write nothing to disk of what is longer than its buffers in memory, and nothing else", async (t) => {
    const { application, url } = await withDocument(t, { content: Buffer.alloc(200_000) });
    for (const [headers, told] of [
      [{}, "no"],
      [{ Range: "bytes=0-65536" }, "no"],
      [{ Range: "bytes=0-65535" }, undefined],
      [{ Range: "bytes=200000-" }, undefined],
    ] as const) {
      assert.equal((await application.get(url, { headers })).headers["x-accel-buffering"], told);
    }
  });

  it("lets nginx keep what its cache may keep", async (t) => {
    const delivery = { ...streamDelivery(), cacheControl: "public, max-age=60" };
    const { application, url } = await withDocument(t, { content: Buffer.alloc(200_000), options: { delivery } });
    assert.equal((await application.get(url)).headers["x-accel-buffering"], undefined);
  });

  it("leaves it to another server how it sends what that server reads itself", async (t) => {
    const delivery: Delivery = {
      ranges: false,
      async deliver({ ctx }) {
        ctx.body = "";
      },
    };
    const { application, url } = await withDocument(t, { content: Buffer.alloc(200_000), options: { delivery } });
    assert.equal((await application.get(url)).headers["x-accel-buffering"], undefined);
  });

  it("uses the column's own file name and Cache-Control", async (t) => {
    const { application, url } = await withDocument(t, { property: "scoped" });
    const { headers } = await application.get(url, { headers: { "x-tenant": "a" } });
    assert.equal(headers["cache-control"], "private, max-age=60");
    assert.match(headers["content-disposition"]!, /filename\*=UTF-8''Document%20%22\d%22%20f%C3%BCr%20dich\.pdf$/);
  });

  it("reads a column that TypeORM does not select by itself", async (t) => {
    const { application, url } = await withDocument(t, { property: "hidden" });
    assert.equal((await application.get(url)).status, 200);
  });

  it("gives the condition the entity with its relations, in one SELECT", async (t) => {
    const { application, url } = await withDocument(t);
    await application.dataSource.manager.insert(User, { id: "alice" });
    await application.dataSource.manager.update(Document, { id: 1 }, { owner: { id: "alice" } });
    let statements = 0;
    application.dataSource.setOptions({ logging: "all" as never });
    application.dataSource.logger = { logQuery: () => statements++ } as never;
    rule = (_ctx, document) => document instanceof Document && document.owner?.id === "alice";
    assert.equal((await application.get(url)).status, 200);
    assert.equal(statements, 1);
  });
});

describe("a page that frames an answer", () => {
  it("has to be of the same origin for a file, a part of it and 304", async (t) => {
    const { application, url } = await withDocument(t);
    const { headers } = await application.get(url);
    assert.equal(framedBy(headers), "'self'");
    for (const [name, value] of Object.entries({ Range: "bytes=0-4", "If-None-Match": headers.etag })) {
      assert.equal(framedBy((await application.get(url, { headers: { [name]: value } })).headers), "'self'", name);
    }
  });

  it("gets nothing where no file is sent: 403, 404, 412, 416 and 500", async (t) => {
    const { application, url } = await withDocument(t);
    const framed = async (status: number, headers = {}, path = url) => {
      const answer = await application.get(path, { headers });
      assert.deepEqual([answer.status, framedBy(answer.headers)], [status, "'none'"]);
    };
    await framed(404, {}, url.replace("/1/", "/2/"));
    await framed(412, { "If-Match": '"x"' });
    await framed(416, { Range: "bytes=99-" });
    rule = () => false;
    await framed(403);
    rule = () => assert.fail("the rule failed");
    await framed(500);
  });
});

describe("a HEAD", () => {
  it("answers what GET does, without the bytes and without opening the file", async (t) => {
    const { application, url } = await withDocument(t);
    const get = await application.get(url);
    application.storage.open = () => assert.fail("the file was opened");
    application.storage.read = () => assert.fail("the file was read");
    const head = await application.get(url, { method: "HEAD" });
    assert.deepEqual({ ...head.headers, date: "" }, { ...get.headers, date: "" });
    assert.deepEqual([head.status, head.body.length], [200, 0]);
  });

  it("ignores Range, which is defined for GET alone", async (t) => {
    const { application, url } = await withDocument(t);
    const { status, headers } = await application.get(url, { method: "HEAD", headers: { Range: "bytes=0-4" } });
    assert.deepEqual([status, headers["content-length"], headers["content-range"]], [200, "11", undefined]);
  });

  it("is refused like a GET", async (t) => {
    const { application, url } = await withDocument(t);
    rule = () => false;
    for (const [path, status] of [
      [url, 403],
      [url.replace("/1/", "/2/"), 404],
    ] as const) {
      const get = await application.get(path);
      const head = await application.get(path, { method: "HEAD" });
      assert.deepEqual([head.status, head.body.length], [status, 0]);
      assert.deepEqual(withoutDate(head.headers), withoutDate(get.headers));
    }
  });
});

describe("a Range", () => {
  const rows: [string, number, string | undefined, string][] = [
    ["bytes=0-4", 206, "bytes 0-4/11", "01234"],
    ["bytes=2-", 206, "bytes 2-10/11", "23456789a"],
    ["bytes=-5", 206, "bytes 6-10/11", "6789a"],
    ["bytes=5-1000", 206, "bytes 5-10/11", "56789a"],
    ["bytes=0-99999999999999999999", 206, "bytes 0-10/11", "0123456789a"],
    ["bytes=5-4", 200, undefined, "0123456789a"],
    ["bytes=abc", 200, undefined, "0123456789a"],
    ["items=0-4", 200, undefined, "0123456789a"],
    ["bytes=11-", 416, "bytes */11", "Range Not Satisfiable"],
    ["bytes=-0", 416, "bytes */11", "Range Not Satisfiable"],
  ];
  for (const [range, status, contentRange, body] of rows) {
    it(`of ${range} is answered with ${status}`, async (t) => {
      const { application, url } = await withDocument(t);
      const answer = await application.get(url, { headers: { Range: range } });
      assert.equal(answer.status, status);
      assert.equal(answer.headers["content-range"], contentRange);
      assert.equal(answer.headers["content-length"], String(body.length));
      assert.equal(answer.body.toString(), body);
    });
  }

  it("with If-Range is a part where the tag is the file's, and the whole file where it is not", async (t) => {
    const { application, url } = await withDocument(t);
    const { etag } = (await application.get(url)).headers;
    const ask = (ifRange: string) => application.get(url, { headers: { Range: "bytes=0-4", "If-Range": ifRange } });
    assert.equal((await ask(etag!)).status, 206);
    assert.equal((await ask(`W/${etag}`)).status, 200);
    assert.equal((await ask('"another"')).status, 200);
  });

  it("of an object that could not be satisfied is answered without a trace of the file", async (t) => {
    const { application, url } = await withDocument(t);
    const { headers } = await application.get(url, { headers: { Range: "bytes=99-" } });
    assert.equal(headers["cache-control"], "private, no-store");
    for (const name of ["etag", "last-modified", "content-disposition"]) assert.equal(headers[name], undefined);
  });
});

describe("preconditions", () => {
  const past = "Wed, 25 Jun 2014 17:12:17 GMT";
  const exact = "Wed, 25 Jun 2014 17:12:18 GMT";
  const rows: [string, (etag: string) => Record<string, string>, number][] = [
    ["If-None-Match with the tag", (etag) => ({ "If-None-Match": etag }), 304],
    ["If-None-Match with another tag", () => ({ "If-None-Match": '"x"' }), 200],
    [
      "If-None-Match with another tag and a fitting If-Modified-Since",
      () => ({ "If-None-Match": '"x"', "If-Modified-Since": exact }),
      200,
    ],
    ["If-Modified-Since with the time", () => ({ "If-Modified-Since": exact }), 304],
    ["If-Modified-Since with an earlier time", () => ({ "If-Modified-Since": past }), 200],
    ["If-Match with the tag", (etag) => ({ "If-Match": etag }), 200],
    ["If-Match with another tag", () => ({ "If-Match": '"x"' }), 412],
    ["If-Unmodified-Since with the time", () => ({ "If-Unmodified-Since": exact }), 200],
    ["If-Unmodified-Since with an earlier time", () => ({ "If-Unmodified-Since": past }), 412],
  ];
  for (const [what, headers, status] of rows) {
    it(`${what} is answered with ${status}, for GET and HEAD`, async (t) => {
      const { application, url } = await withDocument(t);
      await touch(application);
      const { etag } = (await application.get(url)).headers;
      for (const method of ["GET", "HEAD"]) {
        assert.equal((await application.get(url, { method, headers: headers(etag!) })).status, status);
      }
    });
  }

  it("that are met answer 304 with the tag and Cache-Control, and nothing of the representation", async (t) => {
    const { application, url } = await withDocument(t);
    const { etag } = (await application.get(url)).headers;
    const { status, headers, body } = await application.get(url, { headers: { "If-None-Match": etag } });
    assert.deepEqual([status, body.length, headers.etag], [304, 0, etag]);
    assert.equal(headers["cache-control"], "private, no-store");
    for (const name of ["content-type", "content-length", "content-disposition", "last-modified"]) {
      assert.equal(headers[name], undefined, name);
    }
  });

  it("are decided only after the condition: a refused or a missing file answers them all alike", async (t) => {
    const { application, url } = await withDocument(t);
    await touch(application);
    const { etag } = (await application.get(url)).headers;
    const answersAlike = async (status: number) => {
      for (const method of ["GET", "HEAD"]) {
        const plain = await application.get(url, { method });
        assert.deepEqual([plain.status, plain.headers.etag], [status, undefined]);
        for (const [what, headers] of [...rows, ["If-None-Match: *", () => ({ "If-None-Match": "*" })] as const]) {
          const answer = await application.get(url, { method, headers: headers(etag!) });
          assert.deepEqual(withoutDate(answer.headers), withoutDate(plain.headers), what);
          assert.deepEqual([answer.status, answer.body], [status, plain.body]);
        }
      }
    };
    rule = () => false;
    await answersAlike(403);
    rule = () => true;
    await rm(await pathOf(application));
    await answersAlike(404);
  });

  it("find no Last-Modified in the future, whatever clock wrote the file", async (t) => {
    const { application, url } = await withDocument(t);
    const future = new Date(Date.now() + 86_400_000);
    await utimes(await pathOf(application), future, future);
    const { headers } = await application.get(url);
    assert.ok(new Date(headers["last-modified"]!) <= new Date(headers.date!));
    await utimes(await pathOf(application), 0, 0);
    const answer = await application.get(url);
    assert.deepEqual([answer.status, answer.headers["last-modified"]], [200, undefined]);
  });

  it("never match the tag of a file that was replaced", async (t) => {
    const { application, url } = await withDocument(t);
    const { etag } = (await application.get(url)).headers;
    const path = await pathOf(application);
    await writeFile(`${path}.new`, "another one");
    await rename(`${path}.new`, path);
    const answer = await application.get(url, { headers: { "If-None-Match": etag } });
    assert.deepEqual([answer.status, answer.body.toString()], [200, "another one"]);
  });
});

describe("a tag", () => {
  it("is the same for a copy on another server, and another for a file in its place, of the same size and second", async (t) => {
    const { application, url } = await withDocument(t);
    await touch(application);
    const { etag } = (await application.get(url)).headers;
    const elsewhere = await withDocument(t);
    const { dataSource, storage } = elsewhere.application;
    const { file } = await application.dataSource.manager.findOneByOrFail(Document, { id: 1 });
    await rm(storage.root, { recursive: true });
    await cp(application.storage.root, storage.root, { recursive: true, preserveTimestamps: true });
    await dataSource.manager.update(
      Document,
      { id: 1 },
      { file: adoptedFile(dataSource, Document, "file", file!.key) },
    );
    assert.equal((await elsewhere.application.get(url)).headers.etag, etag);
    await utimes(await pathOf(application), modifiedAt, new Date(modifiedAt.getTime() + 1));
    assert.notEqual((await application.get(url)).headers.etag, etag);
    assert.match(etag!, /^"[\w-]{27}"$/);
  });
});

describe("the type of a file", () => {
  const rows: [name: string, type: string][] = [
    ["a.png", "image/png"],
    ["a.PDF", "application/pdf"],
    ["a.tar.gz", "application/gzip"],
    ["a.csv.gz", "application/gzip"],
    ["a", "application/octet-stream"],
    ["a.unheard-of", "application/octet-stream"],
    ["a.html", "application/octet-stream"],
    ["a.svg", "application/octet-stream"],
    ["a.js", "application/octet-stream"],
    ["a.png.html", "application/octet-stream"],
  ];
  for (const [name, type] of rows) {
    it(`is decided by the name, not by who uploaded it nor by its bytes: ${name} is ${type}`, async (t) => {
      const { application } = await withDocument(t);
      const { files, dataSource } = application;
      for (const said of ["text/html", "image/png\r\nX-Evil: 1", undefined]) {
        const document = dataSource.manager.create(Document, {});
        const html = Buffer.from("\x89PNG\r\n\x1a\n<!doctype html><script>1</script>", "latin1");
        await files.attach(document, "file", html, { filename: name, type: said });
        await dataSource.manager.save(document);
        const { headers } = await application.get(files.url(document, "file"));
        assert.deepEqual([headers["content-type"], headers["content-encoding"]], [type, undefined]);
        assert.deepEqual([headers["x-content-type-options"], headers["x-evil"]], ["nosniff", undefined]);
      }
    });
  }
});

describe("a condition", () => {
  for (const answer of [
    false,
    undefined,
    null,
    0,
    "",
    1,
    "yes",
    {},
    [],
    Number.NaN,
    Promise.resolve(undefined),
    Promise.resolve(1),
    thenable(false),
    thenable("true"),
    new Boolean(true),
    "true",
  ]) {
    it(`that answers ${inspect(answer)} lets nobody through`, async (t) => {
      const { application, url } = await withDocument(t);
      rule = () => answer;
      const refused = await application.get(url);
      assert.deepEqual([refused.status, refused.body.toString()], [403, "Forbidden"]);
      assert.deepEqual(
        application.errors.map((error) => (error as { status?: number }).status),
        [403],
      );
    });
  }

  it("that promises true, or is true, lets the request through", async (t) => {
    const { application, url } = await withDocument(t);
    for (const answer of [true, Promise.resolve(true), thenable(true)]) {
      rule = () => answer;
      assert.equal((await application.get(url)).status, 200);
    }
  });

  for (const [what, throwing] of [
    [
      "throws",
      () => {
        throw new Error("SELECT * FROM /var/secret");
      },
    ],
    [
      "rejects",
      async () => {
        throw new Error("SELECT * FROM /var/secret");
      },
    ],
    ["rejects with nothing", () => Promise.reject()],
    ["rejects with a text", () => Promise.reject("SELECT * FROM /var/secret")],
    [
      "throws an error with a status",
      () => {
        throw Object.assign(new Error("/var/secret"), { status: 404, expose: true });
      },
    ],
  ] as const) {
    it(`that ${what} answers 500, sends no byte, and says nothing of it but to the log`, async (t) => {
      const { application, url } = await withDocument(t);
      rule = throwing;
      const answer = await application.get(url);
      assert.deepEqual([answer.status, answer.body.toString()], [500, "Internal Server Error"]);
      assert.equal(answer.headers["cache-control"], "private, no-store");
      const [error] = application.errors;
      assert.match(error!.message, /^Document\.file: "condition" failed\. See the cause\.$/);
      assert.ok("cause" in error!);
    });
  }

  it("that takes longer than the timeout answers 503, and what it says later counts for nothing", async (t) => {
    const { application, url } = await withDocument(t, { options: { timeout: 0.05 } });
    rule = () => new Promise((resolve) => setTimeout(resolve, 200, true));
    const answer = await application.get(url);
    assert.deepEqual([answer.status, answer.headers["retry-after"]], [503, "5"]);
    rule = () => new Promise(() => {});
    assert.equal((await application.get(url)).status, 503);
  });

  const pairs: [string, Ask, (etag: string) => Ask][] = [
    ["two GETs", {}, () => ({})],
    ["two Ranges", { headers: { Range: "bytes=0-4" } }, () => ({ headers: { Range: "bytes=5-" } })],
    ["a GET and its revalidation", {}, (etag) => ({ headers: { "If-None-Match": etag } })],
    ["a HEAD and a GET", { method: "HEAD" }, () => ({})],
    ["a GET and a HEAD", {}, () => ({ method: "HEAD" })],
  ];
  for (const [what, first, second] of pairs) {
    it(`is asked anew for every request: what was granted is refused afterwards, between ${what}`, async (t) => {
      const { application, url } = await withDocument(t);
      const { status, headers } = await application.get(url, first);
      assert.equal(status, first.headers ? 206 : 200);
      rule = () => false;
      assert.equal((await application.get(url, second(headers.etag!))).status, 403);
    });
  }

  it("sees the row as it is now, also where the data source remembers the results of queries", async (t) => {
    const database: TestDatabase = {
      name: "sql.js with a cache",
      async open(model) {
        const cache = { alwaysEnabled: true, duration: 60_000 };
        const dataSource = new DataSource({ type: "sqljs", synchronize: true, cache, ...model });
        await dataSource.initialize();
        return { dataSource, close: () => dataSource.destroy() };
      },
    };
    const { application, url } = await withDocument(t, { database });
    rule = (_ctx, document) => document.tenant === "a";
    assert.equal((await application.get(url)).status, 200);
    await application.dataSource.manager.update(Document, { id: 1 }, { tenant: "b" });
    assert.equal((await application.get(url)).status, 403);
  });

  it("that refuses is answered like a missing row with hideDenied, byte for byte", async (t) => {
    const { application, url } = await withDocument(t, { options: { hideDenied: true } });
    rule = () => false;
    const denied = await application.get(url);
    const missing = await application.get(url.replace("/1/", "/2/"));
    assert.equal(denied.status, 404);
    assert.deepEqual(withoutDate(denied.headers), withoutDate(missing.headers));
    assert.deepEqual([denied.status, denied.body], [missing.status, missing.body]);
  });
});

describe("what is not there", () => {
  const gone: [string, (application: Application) => unknown][] = [
    ["a row that was deleted", ({ dataSource }) => dataSource.manager.delete(Document, { id: 1 })],
    ["a row that was deleted softly", ({ dataSource }) => dataSource.manager.softDelete(Document, { id: 1 })],
    ["a column that is null", ({ dataSource }) => dataSource.manager.update(Document, { id: 1 }, { file: null })],
    ["a file that is gone", async (application) => rm(await pathOf(application))],
  ];
  for (const [what, remove] of gone) {
    it(`answers 404 without a path or a key: ${what}`, async (t) => {
      const { application, url } = await withDocument(t);
      await remove(application);
      const { status, headers, body } = await application.get(url);
      assert.deepEqual([status, body.toString()], [404, "Not Found"]);
      assert.equal(headers["cache-control"], "private, no-store");
      assert.equal(headers["x-content-type-options"], "nosniff");
    });
  }

  it("is logged with its key where a row names a file that the storage does not have", async (t) => {
    const { application, url } = await withDocument(t);
    await rm(await pathOf(application));
    await application.get(url);
    const [error] = application.errors as [Error & { code: string }];
    assert.equal(error.code, "ERR_PRIVATE_FILE_MISSING");
    assert.match(
      error.message,
      /^Document\.file: the row "1" names "documents\/.*\/report\.pdf", which its storage does not have/,
    );
  });

  it("includes a key in the row that no storage may be asked for", async (t) => {
    const { application, url } = await withDocument(t);
    const { dataSource } = application;
    const file = adoptedFile(dataSource, Document, "file", "../../etc/report.pdf");
    await dataSource.manager.update(Document, { id: 1 }, { file });
    assert.equal((await application.get(url)).status, 404);
    const [error] = application.errors as [Error & { code: string }];
    assert.deepEqual([error.code, error.cause instanceof InvalidKeyError], ["ERR_PRIVATE_FILE_MISSING", true]);
  });

  it("includes rows that where leaves out, and a where that is not complete answers 500", async (t) => {
    const { application, url } = await withDocument(t, { property: "scoped" });
    assert.equal((await application.get(url, { headers: { "x-tenant": "a" } })).status, 200);
    assert.equal((await application.get(url, { headers: { "x-tenant": "b" } })).status, 404);
    const answer = await application.get(url);
    assert.deepEqual([answer.status, answer.body.toString()], [500, "Internal Server Error"]);
    // TypeORM can be told to leave such values out; the rows of all tenants would be seen then.
    Object.assign(application.dataSource.options, {
      invalidWhereValuesBehavior: { undefined: "ignore", null: "ignore" },
    });
    assert.equal((await application.get(url)).status, 500);
  });
});

describe("a where with alternatives", () => {
  it("applies to the row that is asked for alone: each row is seen where one of them holds, and no other", async (t) => {
    const { application } = await withDocument(t);
    const { dataSource, files } = application;
    const urls = new Map<string, string>();
    for (const tenant of ["c", "b", "a", "d"]) {
      const document = dataSource.manager.create(Document, { tenant });
      await files.attach(document, "scoped", Buffer.from(tenant), { filename: "x.txt" });
      await dataSource.manager.save(document);
      urls.set(tenant, files.url(document, "scoped"));
    }
    for (const [tenant, url] of urls) {
      const { status, body } = await application.get(url, { headers: { "x-tenant": "a,b" } });
      assert.deepEqual([tenant, status], [tenant, "ab".includes(tenant) ? 200 : 404]);
      if (status === 200) assert.equal(body.toString(), tenant);
    }
  });
});

describe("a method other than GET and HEAD", () => {
  for (const method of METHODS.filter((name) => !["GET", "HEAD", "CONNECT"].includes(name))) {
    it(`answers ${method} with 405 and Allow, without asking the database`, async (t) => {
      const { application, url } = await withDocument(t);
      application.dataSource.manager.createQueryBuilder = () => assert.fail("the database was asked");
      const { status, headers } = await application.get(url, { method });
      assert.deepEqual([status, headers.allow], [405, "GET, HEAD"]);
    });
  }
});

describe("an application's own error page", () => {
  it("sees the refusal with its status and code, and none of the file's headers on the answer", async (t) => {
    const seen: { status: number; code: string }[] = [];
    const { application, url } = await withDocument(t, {
      before: (app) =>
        app.use(async (ctx, next) => {
          ctx.set({ "Content-Security-Policy": "default-src 'self'", "Cache-Control": "no-cache" });
          try {
            await next();
          } catch (error) {
            seen.push(error as never);
            ctx.status = 403;
            ctx.body = "<h1>No</h1>";
          }
        }),
    });
    rule = () => false;
    const refused = await application.get(url);
    assert.equal(refused.body.toString(), "<h1>No</h1>");
    rule = () => true;
    application.storage.open = async () => {
      const failing = { size: 11, modifiedAt, close: async () => {} };
      return { ...failing, read: () => Promise.reject(new Error("EIO")) };
    };
    const failed = await application.get(url);
    assert.equal(failed.body.toString(), "<h1>No</h1>");
    for (const name of ["content-disposition", "etag", "last-modified", "accept-ranges", "referrer-policy"]) {
      assert.equal(failed.headers[name], undefined, name);
    }
    assert.equal(failed.headers["content-security-policy"], "default-src 'self'");
    assert.equal(failed.headers["cache-control"], "no-cache");
    assert.deepEqual(
      seen.map(({ status, code }) => [status, code]),
      [
        [403, "ERR_PRIVATE_FILE_ACCESS_DENIED"],
        [500, "ERR_PRIVATE_FILE_FAILED"],
      ],
    );
  });
});

interface WithDocument extends Partial<StartOptions> {
  content?: Buffer;
  property?: "file" | "shown" | "hidden" | "scoped";
}

/** Starts an application with one document, whose id is 1. */
async function withDocument(t: TestContext, { content = bytes, property = "file", ...options }: WithDocument = {}) {
  rule = () => true;
  const application = await startApplication({ entities: [User, Document], ...options });
  t.after(() => application.close());
  const document = application.dataSource.manager.create(Document, {});
  const file = await application.files.attach(document, property, content, { filename: "report.pdf" });
  await application.dataSource.manager.save(document);
  // TypeORM 1.0.0 takes the value of a column with "select: false" out of the entity.
  document[property] = file;
  return { application, url: application.files.url(document, property) };
}

/** What the libraries of other promises hand back. */
function thenable(answer: unknown) {
  // biome-ignore lint/suspicious/noThenProperty: it is what makes a thenable.
  return { then: (resolve: (answer: unknown) => void) => resolve(answer) };
}

async function pathOf(application: Application): Promise<string> {
  const document = await application.dataSource.manager.findOneByOrFail(Document, { id: 1 });
  return application.storage.path(document.file!.key);
}

async function touch(application: Application): Promise<void> {
  await utimes(await pathOf(application), modifiedAt, modifiedAt);
}

/** What pages may frame an answer. */
function framedBy(headers: Record<string, unknown>): string | undefined {
  return /frame-ancestors ([^;]*)/.exec(String(headers["content-security-policy"]))?.[1];
}

function withoutDate({ date: _, ...headers }: Record<string, unknown>): Record<string, unknown> {
  return headers;
}
