import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, type PrivateFileSubscriber } from "typeorm-private-files";
import { failed } from "../../src/download/download-errors.js";
import { downloadName } from "../../src/http/disposition.js";
import { type Application, changeOpened, startApplication } from "../support/application.js";
import { eventually } from "../support/eventually.js";
import { assertQuick } from "../support/fuzz.js";

let code: { condition?: () => boolean; filename?: () => never; hook?: () => unknown; after?: () => unknown } = {};

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Letter>({
    condition: () => code.condition?.() ?? true,
    filename: () => code.filename?.(),
  })
  scan!: PrivateFile;
}

@EventSubscriber()
class Told implements PrivateFileSubscriber<Letter> {
  listenTo() {
    return Letter;
  }
  beforeDownload() {
    return code.hook?.() as never;
  }
  afterDownload() {
    return code.after?.() as never;
  }
  downloadDenied() {
    return code.after?.() as never;
  }
}

const SECRET = Buffer.alloc(200_000, "A");

describe("code of an application that goes wrong", () => {
  for (const thrown of ["a text", undefined, { an: "object" }, Symbol("symbol")]) {
    it(`is logged, and does not end the process: afterDownload and downloadDenied reject with ${String(thrown)}`, async (t) => {
      const { application, urls } = await withLetters(t);
      application.app.removeAllListeners("error");
      const errors: Error[] = [];
      application.app.on("error", (error) => {
        // Koa's own listener refuses everything that is not an error.
        if (!(error instanceof Error)) throw new TypeError("not an error");
        if (/Download|Denied/.test(error.message)) errors.push(error);
      });
      code = { after: () => Promise.reject(thrown) };
      await application.get(urls[0]!);
      await eventually(async () => assert.equal(errors.length, 1));
      code.condition = () => false;
      await application.get(urls[0]!);
      await eventually(async () => assert.equal(errors.length, 2));
      assert.match(errors[0]!.message, /Letter\.scan: "afterDownload" failed/);
      assert.deepEqual([errors[0]!.cause, errors[1]!.cause], [thrown, thrown]);
    });
  }

  it("is answered without the headers that Node can't send, and those of the connection or the body", async (t) => {
    const { application, urls } = await withLetters(t);
    const wrong = { "X-File": "日本.pdf", "X-None": undefined, "bad name": "x", "Transfer-Encoding": "chunked" };
    const headers = { ...wrong, "Content-Length": "9999", "X-Reason": "quota" };
    code = { hook: () => Promise.reject(Object.assign(new Error("no"), { status: 429, headers })) };
    const answer = await application.get(urls[0]!);
    assert.deepEqual([answer.status, answer.headers["x-reason"]], [429, "quota"]);
    for (const name of Object.keys(wrong)) assert.equal(answer.headers[name.toLowerCase()], undefined);
  });

  it("is answered 500 for a status that is none, and for errors that can't be read", () => {
    const throwing = () => {
      throw new Error("a getter");
    };
    const unreadable = Object.defineProperty(new Error("x"), "status", { get: throwing });
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const status of [450.5, 600, 200, Number.NaN, "404", null]) {
      assert.equal(failed("step", Object.assign(new Error("x"), { status }), "message").status, 500);
    }
    for (const error of [unreadable, proxy, Object.freeze(new Error("frozen"))]) {
      assert.equal(failed("step", error, "message").status, 500);
    }
  });

  it("fails one download alone: a storage gives NaN as a size", async (t) => {
    const { application, urls } = await withLetters(t);
    const open = application.storage.open;
    changeOpened(application, () => ({ size: Number.NaN }));
    assert.equal((await application.get(urls[0]!)).status, 500);
    application.storage.open = open;
    assert.equal((await application.get(urls[0]!)).status, 200);
  });

  const reads: [string, (buffer: Uint8Array) => unknown][] = [
    ["undefined", () => undefined],
    ["a text", (buffer) => String(buffer.length)],
    ["more than was asked for", (buffer) => buffer.length + 1],
    ["a fraction", () => 1.5],
    ["a count without filling the buffer", (buffer) => buffer.length],
    ["a count without filling the end of it", (buffer) => buffer.fill(66, 0, buffer.length / 2).length],
  ];
  for (const [title, read] of reads) {
    it(`sends no bytes of another download, but an error, where read of a storage returns ${title}`, async (t) => {
      const { application, urls } = await withLetters(t);
      for (let times = 0; times < 5; times++) await application.get(urls[0]!);
      changeOpened(application, () => ({ read: async (buffer) => read(buffer) as number }));
      for (const url of urls) {
        const { status, body } = await application.get(url);
        assert.equal(status, 500);
        assert.ok(!body.includes("AA"));
      }
    });
  }

  it("sends zeros of a file, too, where a storage reads them", async (t) => {
    const { application, urls } = await withLetters(t, Buffer.alloc(100_000));
    changeOpened(application, () => ({}));
    const { status, body } = await application.get(urls[1]!);
    assert.deepEqual([status, body.equals(Buffer.alloc(100_000))], [200, true]);
  });

  for (const [title, stream] of [
    ["texts in place of bytes", () => Readable.from(["B".repeat(100)])],
    ["undefined in place of a stream", () => undefined],
  ] as const) {
    it(`is an error where read of a storage gives ${title}`, async (t) => {
      const { application, urls } = await withLetters(t);
      Object.assign(application.storage, { open: undefined, read: async () => stream() });
      assert.equal((await application.get(urls[1]!)).status, 500);
    });
  }

  it("is refused when it is declared: filename and where are async functions", () => {
    for (const name of ["filename", "where"]) {
      const declare = () => PrivateFileColumn({ [name]: async () => ({}) })(Letter.prototype, "other");
      assert.throws(declare, { code: "ERR_PRIVATE_FILE_CONFIGURATION", message: new RegExp(`"${name}" .* async`) });
    }
  });

  it("is answered 500: filename returns a promise that rejects", async (t) => {
    const { application, urls } = await withLetters(t);
    code = { filename: () => Promise.reject(new Error("nobody awaits this")) as never };
    assert.equal((await application.get(urls[0]!)).status, 500);
    assert.match(String(application.errors.at(-1)?.cause), /"filename" must return a text/);
  });

  it("takes no longer for a file name of ten megabytes", () => {
    for (const unit of ["a/", "/", "a", "\u202e/", "é\\"]) {
      const name = unit.repeat(10_000_000 / unit.length);
      assertQuick(() => downloadName(name), unit, 500);
      assertQuick(() => downloadName(`${name}b.pdf`), unit, 500);
    }
    assert.equal(downloadName(`${"a/".repeat(900_000)}b.pdf`), "b.pdf");
  });

  it("has no raw separator of lines or control of direction in the message about a key", async (t) => {
    const { application } = await withLetters(t);
    for (const key of ["x/\u2028.pdf", "x/\u202e.pdf"]) {
      const error: unknown = await application.storage.read(key).catch((error: unknown) => error);
      assert.match((error as Error).message, /^x\/\\u\{202[8e]\}\.pdf: [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u);
    }
  });
});

/** An application with the secret of one row and the file of another. */
async function withLetters(
  t: TestContext,
  other = Buffer.alloc(1000, "B"),
): Promise<{ application: Application; urls: string[] }> {
  code = {};
  const application = await startApplication({ entities: [Letter], subscribers: [Told] });
  t.after(() => application.close());
  const urls: string[] = [];
  for (const content of [SECRET, other]) {
    const letter = application.dataSource.manager.create(Letter, {});
    await application.files.attach(letter, "scan", content, { filename: "secret.pdf" });
    await application.dataSource.manager.save(letter);
    urls.push(application.files.url(letter, "scan"));
  }
  return { application, urls };
}
