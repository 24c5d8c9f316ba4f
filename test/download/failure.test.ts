import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { rm } from "node:fs/promises";
import { STATUS_CODES } from "node:http";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import send from "koa-send";
import {
  DataSource,
  Entity,
  EventSubscriber,
  IsNull,
  Not,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  QueryFailedError,
  SelectQueryBuilder,
} from "typeorm";
import {
  type Delivery,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  StorageError,
} from "typeorm-private-files";
import { adoptedFile } from "../support/adopted-file.js";
import { type Ask, type StartOptions, startApplication } from "../support/application.js";
import { postgres } from "../support/databases.js";
import { eventually } from "../support/eventually.js";
import { descriptorsUnder } from "../support/storage-disk.js";
import { describe, it, type TestContext } from "../support/suite.js";

/** In milliseconds: longer than any timeout. */
const AN_HOUR = 3_600_000;

/** What somebody's code does while a request for a letter is answered. */
let code: { condition?: () => unknown; where?: () => never; filename?: () => never; hook?: () => unknown };
let delivery: Delivery["deliver"] | undefined;

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Letter>({
    uploadTo: "letters",
    condition: () => (code.condition?.() ?? true) as boolean,
    where: () => code.where?.() ?? { id: Not(IsNull()) },
    filename: () => code.filename?.(),
  })
  scan!: PrivateFile;
  @PrivateFileColumn<Letter>({
    uploadTo: "letters",
    nullable: true,
    condition: () => true,
    delivery: { deliver: (download) => delivery!(download) },
  })
  sent!: PrivateFile | null;
}

@Entity()
class Note {
  @PrimaryColumn({ length: 100 }) slug!: string;
  @PrivateFileColumn({ condition: () => true }) file!: PrivateFile;
}

@EventSubscriber()
class Told implements PrivateFileSubscriber<Letter> {
  listenTo() {
    return Letter;
  }
  async beforeDownload() {
    await code.hook?.();
  }
}

const root = "/srv/private-7";
const text = `SELECT "scan" FROM "letter": ${root}/letters/secret.pdf in bucket-7`;
const failure = (properties: object = {}) => Object.assign(new Error(text), properties);
const fails = (properties?: object) => () => {
  throw failure(properties);
};

describe("an answer to what failed", () => {
  type Started = Awaited<ReturnType<typeof withLetter>>;
  const sql = (code: string) => new QueryFailedError(text, ["secret"], failure({ code }));
  const kinds: [string, number, (started: Started, t: TestContext) => unknown, Ask?][] = [
    ["a file that is gone (ENOENT)", 404, ({ application, letter }) => rm(application.storage.path(letter.scan.key))],
    ["a file that may not be read (EACCES)", 500, storageFails(failure({ code: "EACCES" }))],
    ["no free descriptor (EMFILE)", 503, storageFails(failure({ code: "EMFILE" }))],
    [
      "a key that is too long (ENAMETOOLONG)",
      404,
      ({ setKey }) => setKey(`letters/${"x".repeat(240)}/${"é".repeat(200)}/a.pdf`),
    ],
    ["a value that the database refuses (22P02)", 500, (_, t) => queryFails(t, sql("22P02"))],
    ["a transaction that failed before (25P02)", 500, (_, t) => queryFails(t, sql("25P02"))],
    ["a condition that takes too long", 503, () => Object.assign(code, { condition: () => new Promise(() => {}) })],
    [
      "a condition that throws what HTTP shows",
      500,
      () => Object.assign(code, { condition: fails({ status: 404, expose: true }) }),
    ],
    [
      "a where that throws what HTTP shows",
      500,
      () => Object.assign(code, { where: fails({ status: 404, expose: true }) }),
    ],
    [
      "a filename that throws what HTTP shows",
      500,
      () => Object.assign(code, { filename: fails({ status: 404, expose: true }) }),
    ],
    ["a hook that throws", 500, () => Object.assign(code, { hook: fails() })],
    ["a hook that throws a status", 429, () => Object.assign(code, { hook: fails({ status: 429 }) })],
    [
      "an object store that refuses (403)",
      500,
      storageFails(failure({ name: "AccessDenied", status: 403, expose: true })),
    ],
  ];
  for (const [what, status, arrange] of kinds) {
    it(`says nothing but ${status}, and the log has the cause: ${what}`, async (t) => {
      const started = await withLetter(t, { options: { timeout: what.endsWith("too long") ? 0.05 : 10 } });
      await arrange(started, t);
      await saysNothingBut(status, started);
      const logged = started.application.errors.map((error) => `${error.message} ${error.cause}`).join("\n");
      if (status !== 404) assert.match(logged, /SELECT|longer than/);
    });
  }

  it("says nothing but 404 for a segment that can't be decoded", async (t) => {
    const started = await withLetter(t);
    await saysNothingBut(404, { ...started, url: started.url.replace("/1/", "/%E0%A4%A/") });
  });

  it("says nothing but the status for a delivery that throws what HTTP shows, as koa-send does with a path", async (t) => {
    const started = await withLetter(t);
    const { application, letter } = started;
    await application.files.attach(letter, "sent", Buffer.from("x"), { filename: "secret.pdf" });
    await application.dataSource.manager.save(letter);
    await rm(application.storage.path(letter.sent!.key));
    await rm(application.storage.root, { recursive: true });
    application.storage.open = async () => ({
      size: 1,
      modifiedAt: new Date(),
      read: async () => 1,
      close: async () => {},
    });
    delivery = async ({ ctx, key }) => void (await send(ctx, key, { root: application.storage.root }));
    const url = application.files.url(letter, "sent");
    const { root } = application.storage;
    for (const status of [404, 403]) {
      await saysNothingBut(status, { ...started, url }, root, letter.sent!.key, "ENOENT");
      delivery = fails({ status: 403, expose: true });
    }
  });

  it("has no header of the file, is not kept, and says no more than its status", async (t) => {
    const asks: [number, Ask & { other?: true }, typeof code?][] = [
      [403, {}, { condition: () => false }],
      [404, { other: true }],
      [405, { method: "POST" }],
      [412, { headers: { "If-Match": '"x"' } }],
      [416, { headers: { Range: "bytes=999-" } }],
      [500, {}, { hook: fails() }],
      [503, {}, { hook: () => new Promise(() => {}) }],
    ];
    for (const [status, { other, ...ask }, doing = {}] of asks) {
      const { application, url } = await withLetter(t, { options: { timeout: status === 503 ? 0.05 : 10 } });
      code = doing;
      const { headers, ...answer } = await application.get(other ? url.replace("/1/", "/9/") : url, ask);
      assert.deepEqual([answer.status, answer.body.toString()], [status, STATUS_CODES[status]]);
      const names = ["content-disposition", "etag", "last-modified", "accept-ranges"];
      for (const name of names) assert.equal(headers[name], undefined, `${name} of ${status}`);
      assert.equal(headers["content-range"], status === 416 ? "bytes */11" : undefined);
      assert.equal(headers["cache-control"], "private, no-store");
      assert.match(headers["content-type"]!, /^text\/plain/);
    }
  });
});

describe("a condition that fails", () => {
  const failing: [string, () => unknown][] = [
    ["throws", fails()],
    ["rejects", async () => fails()()],
    ["rejects without an error", () => Promise.reject(0)],
    ["asks a database that is down", async () => new DataSource({ type: "sqljs" }).query("SELECT 1")],
    ["never settles", () => new Promise(() => {})],
    // biome-ignore lint/suspicious/noThenProperty: it is what the rule returns.
    ["hands back what can't be awaited", () => ({ then: fails() })],
    ["rejects after its time", async () => sleep(400).then(fails())],
    ["says true after its time", () => sleep(400, true)],
  ];
  for (const [what, condition] of failing) {
    it(`lets nothing through, opens no file and is logged once: it ${what}`, async (t) => {
      const { application, url } = await withLetter(t, { options: { timeout: 0.05 } });
      const unhandled = t.mock.fn();
      process.on("unhandledRejection", unhandled);
      t.after(() => process.off("unhandledRejection", unhandled));
      const open = t.mock.method(application.storage, "open");
      const stat = t.mock.method(application.storage, "stat");
      code = { condition };
      for (const method of ["GET", "HEAD"]) {
        const { status, headers } = await application.get(url, { method });
        assert.ok(status === 500 || status === 503, String(status));
        assert.equal(headers.etag, undefined);
      }
      await sleep(/after/.test(what) ? 500 : 0);
      assert.deepEqual([open.mock.callCount(), stat.mock.callCount()], [0, 0]);
      assert.equal(application.errors.length, 2, String(application.errors));
      assert.equal(unhandled.mock.callCount(), 0);
    });
  }
});

describe("the log", () => {
  const odd = 'a\r\nFORGED: line\x1b[31m\x9b2J\x7f\u2028\u202e"\\.pdf';

  it("has no control character of a key or of a primary key in a line: they are encoded", async (t) => {
    const { application } = await withLetter(t);
    const { dataSource, files } = application;
    const keys = [odd, `notes/${odd}`, "notes/\u2028\u202e.pdf"];
    for (const [index, key] of keys.entries()) {
      const note = dataSource.manager.create(Note, {
        slug: `${index}${odd}`,
        file: adoptedFile(dataSource, Note, "file", key),
      });
      await dataSource.manager.save(note);
      assert.equal((await application.get(files.url(note, "file"))).status, 404);
    }
    const missing = application.errors.filter(
      (error) => (error as { code?: string }).code === "ERR_PRIVATE_FILE_MISSING",
    );
    assert.equal(missing.length, keys.length);
    for (const error of missing) {
      for (let one: Error | undefined = error; one; one = one.cause as Error | undefined) {
        assert.match(one.message, /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u);
      }
      assert.match(error.message, /the row "\da\\r\\nFORGED|the row "2/);
    }
  });

  it("that Koa keeps by itself has an entry for a failure, with the column's name, and none for a refusal", async (t) => {
    const { application, url } = await withLetter(t);
    application.app.removeAllListeners("error");
    const lines: string[] = [];
    t.mock.method(console, "error", (line: string) => lines.push(line));
    application.app.on("error", application.app.onerror);
    for (const condition of [() => false, fails()]) {
      code = { condition };
      await application.get(url);
    }
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /DownloadError: Letter\.scan: "condition" failed\. See the cause\./);
  });
});

describe("what hangs", () => {
  const hung = () => new Promise<never>(() => {});
  const kinds: [string, (t: TestContext, started: Awaited<ReturnType<typeof withLetter>>) => unknown, string?][] = [
    ["a condition", () => Object.assign(code, { condition: hung })],
    ["a hook", () => Object.assign(code, { hook: hung })],
    ["a storage that is to open a file", (t, { application }) => t.mock.method(application.storage, "open", hung)],
    [
      "a storage that is to look at a file",
      (t, { application }) => t.mock.method(application.storage, "stat", hung),
      "HEAD",
    ],
    [
      "a storage that is to read the first byte",
      (t, { application }) => {
        const open = application.storage.open.bind(application.storage);
        t.mock.method(application.storage, "open", async (key: string) => {
          const object = (await open(key))!;
          t.mock.method(object, "read", hung);
          return object;
        });
      },
    ],
    ["a database", (t) => t.mock.method(SelectQueryBuilder.prototype, "getOne", hung)],
  ];
  for (const [what, hang, method] of kinds) {
    it(`is answered 503 two hundred times at once, and leaves nothing: ${what}`, async (t) => {
      const started = await withLetter(t, { options: { timeout: 0.2 } });
      const { application, url } = started;
      await hang(t, started);
      const asked = Array.from({ length: 200 }, () => application.get(url, { method }));
      const answers = await Promise.all(asked);
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([503]));
      assert.equal(answers[0]!.headers["retry-after"], "5");
      code = {};
      t.mock.restoreAll();
      await eventually(async () => assert.equal((await application.get(url)).status, 200));
      if (process.platform === "linux") {
        await eventually(async () => assert.deepEqual(await descriptorsUnder(application.storage.root), []));
      }
    });
  }

  it("is not a delivery that sends by itself, however long that takes", async (t) => {
    const { application, url } = await withSentLetter(t);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    delivery = async ({ ctx }) => {
      ctx.respond = false;
      ctx.res.write("half");
      await turn();
      t.mock.timers.tick(AN_HOUR);
      await turn();
      ctx.res.end(" and half");
    };
    assert.equal((await application.get(url)).body.toString(), "half and half");
    assert.deepEqual(application.errors, []);
  });

  it("and fails in the end is told to the application, where a delivery sends by itself", async (t) => {
    const { application, url } = await withSentLetter(t);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    delivery = async ({ ctx }) => {
      ctx.respond = false;
      ctx.res.write("half");
      await turn();
      t.mock.timers.tick(AN_HOUR);
      await turn();
      ctx.res.end();
      throw new Error("the other half is gone");
    };
    assert.equal((await application.get(url)).body.toString(), "half");
    t.mock.timers.reset();
    await eventually(async () => assert.match(String(application.errors[0]?.cause), /the other half is gone/));
  });

  it("and goes on later holds no file: a storage that opens it after the answer", async (t) => {
    const { application, url } = await withLetter(t);
    const open = application.storage.open.bind(application.storage);
    let closed = 0;
    const answered = new EventEmitter();
    t.mock.timers.enable({ apis: ["setTimeout"] });
    t.mock.method(application.storage, "open", async (key: string) => {
      setImmediate(() => t.mock.timers.tick(AN_HOUR));
      await once(answered, "answered");
      const object = (await open(key))!;
      const close = object.close.bind(object);
      t.mock.method(object, "close", () => close().then(() => closed++));
      return object;
    });
    assert.equal((await application.get(url)).status, 503);
    t.mock.timers.reset();
    answered.emit("answered");
    await eventually(async () => assert.equal(closed, 1));
  });
});

describe("PostgreSQL", { skip: postgres.skip }, () => {
  it("that is slow is answered 503 without opening a file, and is asked again when it is back", async (t) => {
    const { application, url } = await withLetter(t, { database: postgres, options: { timeout: 0.3 } });
    const open = t.mock.method(application.storage, "open");
    const blocker = application.dataSource.createQueryRunner();
    t.after(() => blocker.release());
    await blocker.startTransaction();
    await blocker.query("LOCK TABLE letter IN ACCESS EXCLUSIVE MODE");
    const answers = await Promise.all(Array.from({ length: 30 }, () => application.get(url)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([503]));
    assert.equal(open.mock.callCount(), 0);
    await blocker.rollbackTransaction();
    await eventually(async () => assert.equal((await application.get(url)).status, 200));
  });

  it("that cuts its connections answers again right after", async (t) => {
    const { application, url } = await withLetter(t, { database: postgres });
    const { dataSource } = application;
    await Promise.all(Array.from({ length: 5 }, () => application.get(url)));
    const cut =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    await dataSource.query(cut);
    await eventually(async () => assert.equal((await application.get(url)).status, 200));
  });

  it("that is gone is answered 500 at once without opening a file, and is asked again when it is back", async (t) => {
    const { application, url } = await withLetter(t, { database: postgres });
    const open = t.mock.method(application.storage, "open");
    await application.dataSource.destroy();
    const { status, body } = await application.get(url);
    assert.deepEqual([status, body.toString()], [500, "Internal Server Error"]);
    assert.equal(open.mock.callCount(), 0);
    await application.dataSource.initialize();
    assert.equal((await application.get(url)).status, 200);
  });
});

function storageFails(cause: Error) {
  return ({ application }: { application: { storage: { open: unknown; stat: unknown } } }) => {
    const fail = () => Promise.reject(new StorageError(text, "letters/secret.pdf", { cause }));
    Object.assign(application.storage, { open: fail, stat: fail });
  };
}

function queryFails(t: TestContext, error: Error): void {
  t.mock.method(SelectQueryBuilder.prototype, "getOne", () => Promise.reject(error));
}

/** For GET and, where that answers the same, for HEAD. */
async function saysNothingBut(
  status: number,
  { application, url }: Pick<Awaited<ReturnType<typeof withLetter>>, "application" | "url">,
  ...secrets: string[]
): Promise<void> {
  const answer = await application.get(url);
  assert.deepEqual([answer.status, answer.body.toString()], [status, STATUS_CODES[status]]);
  const said = JSON.stringify(answer.headers) + answer.body;
  for (const secret of ["SELECT", root, "bucket-7", "secret.pdf", "letters", "node_modules", "    at ", ...secrets]) {
    assert.equal(said.includes(secret), false, secret);
  }
}

/** A letter whose file the delivery of the test sends. */
async function withSentLetter(t: TestContext) {
  const { application, letter } = await withLetter(t);
  await application.files.attach(letter, "sent", Buffer.from("x"));
  await application.dataSource.manager.save(letter);
  return { application, url: application.files.url(letter, "sent") };
}

/** Starts an application with one letter, whose id is 1. */
async function withLetter(t: TestContext, options: Partial<StartOptions> = {}) {
  code = {};
  const application = await startApplication({ entities: [Letter, Note], subscribers: [Told], ...options });
  t.after(() => application.close());
  const { dataSource, files } = application;
  const letter = dataSource.manager.create(Letter, {});
  await files.attach(letter, "scan", Buffer.from("0123456789a"), { filename: "secret.pdf" });
  await dataSource.manager.save(letter);
  const setKey = async (key: string) => {
    letter.scan = adoptedFile(dataSource, Letter, "scan", key);
    await dataSource.manager.save(letter);
  };
  const url = files.url(letter, "scan");
  return { application, letter, setKey, url };
}
