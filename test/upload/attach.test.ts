import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { inspect } from "node:util";
import multerMiddleware from "@koa/multer";
import type Koa from "koa";
import { koaBody } from "koa-body";
import multer from "multer";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import {
  type AttachOptions,
  fromPath,
  InvalidKeyError,
  multerStorage,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileError,
  StorageError,
  UploadError,
  type UploadSource,
} from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { eventually } from "../support/eventually.js";
import { memoryInUse } from "../support/garbage.js";
import { all } from "../support/requirements.js";

let uploadTo: (submission: Submission, filename: string) => unknown;

@Entity()
class Submission {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Submission>({ uploadTo: "uploads", fields: { name: "originalName" }, nullable: true })
  file!: PrivateFile | null;
  @Column({ type: String, nullable: true }) originalName!: string | null;
  @PrivateFileColumn<Submission>({
    uploadTo: (submission, filename) => uploadTo(submission, filename) as string,
    nullable: true,
    length: 60,
  })
  named!: PrivateFile | null;
  @PrivateFileColumn<Submission>({ uploadTo: "uploads", nullable: true, length: 100 }) short!: PrivateFile | null;
  @PrivateFileColumn<Submission>({ uploadTo: "uploads", nullable: true, length: 44 }) tight!: PrivateFile | null;
}

const bytes = randomBytes(300_000);
/** A file that forged uploads name. An `attach` that took one would remove it, as it does with a form parser's. */
const decoy = join(tmpdir(), `decoy-${process.pid}`);
let application: Application;

before(async () => {
  application = await startApplication({ entities: [Submission], before: addUploads });
});
after(() => Promise.all([application.close(), rm(decoy)]));
beforeEach(async () => {
  await writeFile(decoy, "not for attach");
  uploadTo = (_submission, filename) => `named/${filename}`;
  for (const key of await keys()) await application.storage.delete(key);
});

describe("attach", () => {
  const sources: [string, () => unknown][] = [
    ["a Buffer", () => bytes],
    [
      "a Uint8Array that is part of a larger buffer",
      () => new Uint8Array(Buffer.concat([bytes, bytes]).buffer).subarray(0),
    ],
    ["a Blob", () => new Blob([bytes])],
    ["a File", () => new File([bytes], "a.bin")],
    ["a Readable", () => Readable.from([bytes.subarray(0, 100), bytes.subarray(100)], { objectMode: false })],
    ["a web ReadableStream", () => new Blob([bytes]).stream()],
    [
      "an AsyncIterable",
      () =>
        (async function* () {
          yield bytes.subarray(0, 7);
          yield bytes.subarray(7);
        })(),
    ],
    [
      "a file of multer's memory storage",
      () => ({ fieldname: "file", originalname: "a.bin", buffer: bytes, size: bytes.length }),
    ],
  ];
  for (const [what, make] of sources) {
    it(`stores ${what}, whole`, async () => {
      const submission = new Submission();
      const source = make() as Buffer;
      const expected = what.includes("larger") ? Buffer.from(source) : bytes;
      const file = await application.files.attach(submission, "file", source, { filename: "a.bin" });
      assert.equal(submission.file, file);
      assert.match(file.key, /^uploads\/[a-z0-9]+\/a\.bin$/);
      assert.ok((await readFile(application.storage.path(file.key))).equals(expected));
    });
  }

  it("stores the file at a path that the application names, and leaves it where it is", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "private-files-"));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "scan.png"), bytes);
    const file = await application.files.attach(new Submission(), "file", fromPath(join(folder, "scan.png")), {
      filename: "s.png",
    });
    assert.ok((await readFile(application.storage.path(file.key))).equals(bytes));
    assert.ok((await readFile(join(folder, "scan.png"))).equals(bytes));
  });

  it("gives each upload of one name a key of its own", async () => {
    const submissions = Array.from({ length: 50 }, () => new Submission());
    await Promise.all(
      submissions.map((one, index) =>
        application.files.attach(one, "file", Buffer.from(String(index)), { filename: "r.pdf" }),
      ),
    );
    assert.equal(new Set(submissions.map((one) => one.file!.key)).size, 50);
    assert.equal((await keys()).length, 50);
  });

  it("keeps uploads apart for which uploadTo gives one path, also at the same moment", async () => {
    const submissions = Array.from({ length: 50 }, () => new Submission());
    await Promise.all(
      submissions.map((one, index) =>
        application.files.attach(one, "named", Readable.from([String(index)], { objectMode: false }), {
          filename: "r.pdf",
        }),
      ),
    );
    for (const [index, one] of submissions.entries()) {
      assert.match(one.named!.key, /^named\/[a-z0-9]{30}\/r\.pdf$/);
      assert.equal(await readFile(application.storage.path(one.named!.key), "utf8"), String(index));
    }
  });

  it("keeps the exact name where fields.name says, and a portable one in the key", async () => {
    const submission = new Submission();
    await application.files.attach(submission, "file", new File([bytes], 'Ünï "cödé" 日本.pdf'));
    assert.equal(submission.originalName, 'Ünï "cödé" 日本.pdf');
    assert.match(submission.file!.key, /\/Ünï__cödé__日本\.pdf$/);
    application.files.detach(submission, "file");
    assert.deepEqual([submission.file, submission.originalName], [null, null]);
  });

  it("cuts a name so that its key fits the column, between characters and before the extension", async () => {
    const { files, storage } = application;
    for (const [name, cut] of [
      [`${"a".repeat(96)}.pdf`, `${"a".repeat(57)}.pdf`],
      [`${"日".repeat(90)}.docx`, `${"日".repeat(31)}.docx`],
      [`x${"e\u0323\u0301".repeat(90)}.tar.gz`, `x${"ẹ\u0301".repeat(18)}.tar.gz`],
      [`${"ha".repeat(28)}x\u0323\u0301.pdf`, `${"ha".repeat(28)}.pdf`],
    ] as const) {
      const submission = new Submission();
      const { key } = await files.attach(submission, "short", bytes, { filename: name });
      assert.equal(key.slice("uploads/".length + 31), cut);
      assert.ok([...key].length <= 100);
      assert.ok((await readFile(storage.path(key))).equals(bytes));
      await application.dataSource.manager.save(submission);
    }
  });

  it("cuts a name down to one character before the extension, and refuses only what is longer still", async () => {
    const { files } = application;
    const { key } = await files.attach(new Submission(), "tight", bytes, { filename: "report.pdf" });
    assert.match(key, /\/r\.pdf$/);
    const submission = new Submission();
    await assert.rejects(
      files.attach(submission, "tight", bytes, { filename: "report.docx" }),
      (error: Error) => error instanceof InvalidKeyError && /45 characters, the column takes 44/.test(error.message),
    );
    assert.deepEqual([submission.tight, await keys()], [undefined, [key]]);
  });

  it("cuts the name that uploadTo chose so that the key fits the column", async () => {
    uploadTo = () => `named/${"x".repeat(50)}.pdf`;
    const { key } = await application.files.attach(new Submission(), "named", bytes);
    assert.match(key, /^named\/[a-z0-9]{30}\/x{19}\.pdf$/);
    assert.equal(key.length, 60);
  });

  it("passes the entity and the portable name to uploadTo, and waits for it", async () => {
    uploadTo = async (submission, filename) => `of/${submission.id}/${filename}`;
    const submission = Object.assign(new Submission(), { id: 7 });
    await application.files.attach(submission, "named", bytes, { filename: "../..\\x/ä b.pdf" });
    assert.match(submission.named!.key, /^of\/7\/[a-z0-9]{30}\/ä_b\.pdf$/);
  });

  it("takes no more memory for a large upload than for a small one", async () => {
    const small = await peakOf(64);
    const large = await peakOf(all ? 1024 : 320);
    assert.ok(large - small < 32 << 20, `${large >> 20} MiB at the most, and ${small >> 20} for the small one`);
  });
});

/** The most memory that was in use while so many MiB were stored; checks that they were stored whole. */
async function peakOf(mebibytes: number): Promise<number> {
  const block = randomBytes(1 << 20);
  const hash = createHash("sha256");
  let most = 0;
  const blocks = function* () {
    for (let i = 0; i < mebibytes; i++) {
      if (i % (mebibytes / 16) === 0) most = Math.max(most, memoryInUse());
      hash.update(block);
      yield Buffer.from(block);
    }
  };
  const source = Readable.from(blocks(), { objectMode: false });
  const { key } = await application.files.attach(new Submission(), "file", source, { filename: "big.bin" });
  const stored = createHash("sha256");
  const path = application.storage.path(key);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) stored.update(chunk);
  assert.equal(stored.digest("hex"), hash.digest("hex"));
  await application.storage.delete(key);
  return most;
}

describe("attach refuses", () => {
  const missing =
    /^Submission\.file: expected an upload, got (undefined|null)\. Check that the request has a file under that name\.$/;
  const forged: [string, unknown, RegExp?][] = [
    ["a path", decoy],
    ["another record's key", "uploads/x/a.pdf"],
    ["a data: URL", "data:text/plain,x"],
    ["an empty text", ""],
    ["undefined", undefined, missing],
    ["null", null, missing],
    ["a number", 7],
    ["an object with a path", { path: decoy, originalname: "a", size: 1 }],
    ["an object with a filepath", { filepath: decoy, originalFilename: "a", size: 1 }],
    ["an object with a tempFilePath", { tempFilePath: decoy }],
    ["a Buffer as JSON has it", { originalname: "a", buffer: { type: "Buffer", data: [1] } }],
    ["an object with a stream as JSON has it", { stream: { readable: true }, createReadStream: true }],
    [
      "an object with a prototype as JSON has it",
      JSON.parse(`{"__proto__":{"filepath":${JSON.stringify(decoy)}},"toString":1}`),
    ],
    ["an array of them", [{ path: decoy }], /expected an upload, got an array\. Attach each file to its own entity\.$/],
    [
      "a value of a class that a parser filled in",
      Object.assign(new (class Upload {})(), { filepath: decoy, path: decoy }),
    ],
  ];
  for (const [what, source, expected = /got an? (object|string|number)\. Give a stream, a Buffer/] of forged) {
    it(`${what}, with a typed error, and stores nothing`, async () => {
      const submission = new Submission();
      const attempt = application.files.attach(submission, "file", source as Buffer, { filename: "a.pdf" });
      await assert.rejects(attempt, (error: UploadError) => {
        assert.ok(error instanceof UploadError);
        assert.equal(error.code, "ERR_PRIVATE_FILE_UPLOAD");
        assert.match(error.message, expected);
        return true;
      });
      assert.equal(submission.file, undefined);
      assert.deepEqual(await keys(), []);
      assert.equal(await readFile(decoy, "utf8"), "not for attach");
    });
  }

  for (const filename of [5, {}, ["a"], true, Symbol("a")]) {
    it(`${String(inspect(filename))} for a filename, with a typed error, and stores nothing`, async () => {
      const submission = new Submission();
      const source = Readable.from([bytes], { objectMode: false });
      const options = { filename } as unknown as AttachOptions;
      await assert.rejects(application.files.attach(submission, "file", source, options), {
        name: "UploadError",
        code: "ERR_PRIVATE_FILE_UPLOAD",
        message: /^Submission\.file: "filename" must be a string, got .+\. Leave it out/,
      });
      assert.deepEqual([submission.file, source.destroyed, await everyPath()], [undefined, true, []]);
    });
  }

  const readOnce: [string, () => UploadSource][] = [
    ["a stream", () => slow()],
    ["a web stream", () => new Blob([bytes]).stream()],
    ["an async generator", () => slow().iterator() as AsyncIterable<Uint8Array>],
  ];
  for (const [what, make] of readOnce) {
    it(`${what} that another call is reading: the first stores all bytes`, async () => {
      const source = make();
      const [first, second] = [new Submission(), new Submission()];
      const attempts = [first, second].map((one) => application.files.attach(one, "file", source));
      const [stored, refused] = await Promise.allSettled(attempts);
      assert.ok(stored?.status === "fulfilled" && refused?.status === "rejected");
      assert.ok(refused.reason instanceof UploadError, refused.reason);
      assert.match(
        refused.reason.message,
        /^Submission\.file: the upload was attached before\. Attach each upload once\.$/,
      );
      assert.ok((await readFile(application.storage.path(first.file!.key))).equals(bytes));
      assert.deepEqual([second.file, await keys()], [undefined, [first.file!.key]]);
    });
  }

  it("a property that is not a private file column, and an entity that the data source does not know", async () => {
    const { files } = application;
    await assert.rejects(
      files.attach(new Submission(), "originalName" as never, bytes),
      /^ConfigurationError: Submission\.originalName: it is not a private file column\. Use one of file, named, short, tight, or declare it with @PrivateFileColumn\.$/,
    );
    await assert.rejects(
      files.attach(new (class Stranger {})(), "file" as never, bytes),
      /Stranger\.file: it is not a private file column\. Declare it with @PrivateFileColumn, and add the entity to the data source\./,
    );
    await assert.rejects(
      files.attach({} as Submission, "file", bytes),
      /^ConfigurationError: entity\.file: the entity must be an instance of Submission, got a plain object, as manager\.save\(Submission, \{ … \}\) returns it\. Make it with manager\.create\(Submission, \{ … \}\) and save that, or load it\.$/,
    );
  });

  it("an entity that is missing, in each method", async () => {
    const { files } = application;
    for (const missing of [undefined, null] as unknown as Submission[]) {
      const message = `entity.file: the entity is ${missing}. Give an entity of the data source.`;
      const expected = { name: "ConfigurationError", message };
      await assert.rejects(files.attach(missing, "file", bytes), expected);
      await assert.rejects(files.open(missing, "file"), expected);
      assert.throws(() => files.url(missing, "file"), expected);
    }
  });
});

describe("attach that fails", () => {
  const failures: [string, () => unknown, new (...all: never[]) => PrivateFileError][] = [
    ["a stream that fails at once", () => failing(0), UploadError],
    ["a stream that fails in the middle", () => failing(200_000), UploadError],
    ["a stream that is closed early", () => closing(200_000), UploadError],
    ["a stream that was destroyed before", () => Readable.from([bytes]).destroy(), UploadError],
    ["a stream in object mode", () => Readable.from([{ a: 1 }]), UploadError],
    ["a file that is not there", () => fromPath("/nowhere/at/all"), UploadError],
    ["a path that is a folder", () => fromPath(tmpdir()), UploadError],
    [
      "a web stream that somebody reads",
      () => {
        const { body } = new Response("x");
        body!.getReader();
        return body;
      },
      UploadError,
    ],
  ];
  for (const [what, make, kind] of failures) {
    it(`for ${what} gives a typed error and leaves no file`, async () => {
      const submission = Object.assign(new Submission(), { file: null });
      await assert.rejects(application.files.attach(submission, "file", make() as Buffer, { filename: "a.pdf" }), kind);
      assert.equal(submission.file, null);
      assert.deepEqual(await everyPath(), []);
    });
  }

  it("for a stream that was read before gives a typed error", async () => {
    const source = Readable.from([bytes], { objectMode: false });
    await application.files.attach(new Submission(), "file", source);
    await assert.rejects(application.files.attach(new Submission(), "file", source), UploadError);
  });

  it("by its signal gives a typed error with the reason, and leaves no file", async () => {
    const endless = new PassThrough();
    endless.write(bytes);
    const stop = new AbortController();
    void setTimeout(20).then(() => stop.abort(new Error("shutting down")));
    await assert.rejects(
      application.files.attach(new Submission(), "file", endless, { signal: stop.signal }),
      (error: Error) => error instanceof UploadError && /shutting down/.test(String((error.cause as Error)?.message)),
    );
    assert.ok(endless.destroyed);
    assert.deepEqual(await everyPath(), []);
  });

  it("by its signal while uploadTo hangs, 200 times at once, gives a typed error, and leaves no file and no stream", async () => {
    uploadTo = () => new Promise(() => {});
    const stop = new AbortController();
    const sources = Array.from({ length: 200 }, () => new PassThrough());
    const attempts = sources.map((source) => {
      source.write(bytes);
      return application.files.attach(new Submission(), "named", source, { signal: stop.signal });
    });
    void setTimeout(50).then(() => stop.abort(new Error("took too long")));
    for (const attempt of await Promise.allSettled(attempts)) {
      assert.ok(attempt.status === "rejected" && attempt.reason instanceof UploadError);
      assert.match(String(attempt.reason.cause), /took too long/);
    }
    assert.ok(sources.every(({ destroyed }) => destroyed));
    assert.deepEqual(await everyPath(), []);
    // What uploadTo says later is heard by nobody, and ends no process.
    uploadTo = () => Promise.reject(new Error("late"));
    const late = application.files.attach(new Submission(), "named", bytes, { signal: stop.signal });
    await assert.rejects(late, UploadError);
  });

  it("for a key that does not fit the column says so before it reads a byte", async () => {
    uploadTo = () => `${"x".repeat(30)}/a.pdf`;
    const source = Readable.from([bytes], { objectMode: false });
    await assert.rejects(
      application.files.attach(new Submission(), "named", source),
      (error: Error) =>
        error instanceof InvalidKeyError && /the key has 67 characters, the column takes 60/.test(error.message),
    );
    assert.equal(source.readableDidRead, false);
    assert.ok(source.destroyed);
  });

  it("in the storage gives a StorageError with the cause, and destroys the source", async (t) => {
    const cause = Object.assign(new Error("no space"), { code: "ENOSPC" });
    t.mock.method(application.storage, "put", () => Promise.reject(new StorageError("x: no space", "x", { cause })));
    const source = Readable.from([bytes], { objectMode: false });
    await assert.rejects(
      application.files.attach(new Submission(), "file", source),
      (error: Error) => error instanceof StorageError && error.cause === cause,
    );
    assert.ok(source.destroyed);
  });
});

describe("attach in a Koa application", () => {
  for (const parser of ["koa-body", "multer-disk", "multer-memory", "raw"]) {
    it(`takes what ${parser} hands over, whole, with its name, and leaves no temporary file`, async () => {
      const before = await temporaryFiles();
      const answer = await upload(parser, bytes);
      assert.equal(answer.status, 201);
      const [key] = await keys();
      assert.ok((await readFile(application.storage.path(key!))).equals(bytes));
      if (parser !== "raw") assert.equal(JSON.parse(answer.body).name, "Ünï 日本.pdf");
      assert.deepEqual(await temporaryFiles(), before);
    });

    it(`leaves nothing when the client of ${parser} leaves in the middle of an upload`, async () => {
      const before = await temporaryFiles();
      for (let i = 0; i < 20; i++) await abortedUpload(parser);
      await eventually(async () => {
        assert.deepEqual(await everyPath(), []);
        assert.deepEqual(await temporaryFiles(), before);
      });
    });
  }

  it("answers a request whose own body failed to be attached, in place of cutting the connection", async (t) => {
    t.mock.method(application.storage, "put", () => Promise.reject(new StorageError("x", "x")));
    assert.equal((await upload("raw", bytes)).status, 500);
  });

  it("refuses a file that the parser cut at its limit, and removes it", async () => {
    const cut = Object.assign(Readable.from([bytes], { objectMode: false }), { truncated: true });
    await assert.rejects(application.files.attach(new Submission(), "file", cut), /was cut at the form parser's limit/);
    assert.deepEqual(await everyPath(), []);
  });
});

function addUploads(app: Koa): void {
  const store = async (ctx: Koa.Context, source: unknown) => {
    const submission = new Submission();
    await application.files.attach(submission, "file", source as Buffer);
    ctx.status = 201;
    ctx.body = { name: submission.originalName };
  };
  const limits = { fileSize: 1e9 };
  const parsers: Record<string, Koa.Middleware> = {
    "/koa-body": koaBody({
      multipart: true,
      formidable: { maxFileSize: 1e9, uploadDir: tmpdir(), filename: () => `attach-${randomBytes(8).toString("hex")}` },
    }),
    "/multer-disk": multerMiddleware({ storage: multerStorage(), limits, defParamCharset: "utf8" } as never).single(
      "file",
    ) as never,
    "/multer-memory": multerMiddleware({
      storage: multer.memoryStorage(),
      limits,
      defParamCharset: "utf8",
    } as never).single("file") as never,
  };
  app.use(async (ctx, next) => {
    if (ctx.path === "/raw") return store(ctx, ctx.req);
    const parser = parsers[ctx.path];
    if (!parser) return next();
    return parser(ctx as never, async () => {
      const given =
        (ctx as unknown as { file?: unknown }).file ?? (ctx.request.files as { file?: unknown } | undefined)?.file;
      await store(ctx, given);
    });
  });
}

const boundary = "----boundary";
const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="Ünï 日本.pdf"\r\nContent-Type: text/html\r\n\r\n`;
const tail = `\r\n--${boundary}--\r\n`;

function start(parser: string, length: number) {
  const type = parser === "raw" ? "application/pdf" : `multipart/form-data; boundary=${boundary}`;
  return request({
    host: "127.0.0.1",
    port: application.port,
    path: `/${parser}`,
    method: "POST",
    headers: { "Content-Type": type, "Content-Length": length },
  });
}

async function upload(parser: string, content: Buffer): Promise<{ status: number; body: string }> {
  const body = parser === "raw" ? content : Buffer.concat([Buffer.from(head), content, Buffer.from(tail)]);
  const outgoing = start(parser, body.length);
  outgoing.end(body);
  const [incoming] = await once(outgoing, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return { status: incoming.statusCode, body: Buffer.concat(chunks).toString() };
}

async function abortedUpload(parser: string): Promise<void> {
  const outgoing = start(parser, 10_000_000);
  outgoing.on("error", () => {});
  outgoing.write(parser === "raw" ? "" : head);
  await new Promise((resolve) => outgoing.write(bytes, resolve));
  await setTimeout(5);
  outgoing.destroy();
}

/** Gives its bytes in pieces, so that whoever reads them at the same time gets some. */
function slow(): Readable {
  return Readable.from(
    (async function* () {
      for (let start = 0; start < bytes.length; start += 50_000) {
        yield bytes.subarray(start, start + 50_000);
        await setTimeout(2);
      }
    })(),
    { objectMode: false },
  );
}

function failing(after: number): Readable {
  return Readable.from(
    (async function* () {
      if (after > 0) yield bytes.subarray(0, after);
      throw new Error("the line is dead");
    })(),
    { objectMode: false },
  );
}

function closing(after: number): Readable {
  const stream = new PassThrough();
  stream.write(bytes.subarray(0, after));
  void setTimeout(20).then(() => stream.destroy());
  return stream;
}

async function keys(): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of application.storage.list("")) found.push(key);
  return found;
}

/** Every file below the root, temporary ones included. */
async function everyPath(): Promise<string[]> {
  const entries = await readdir(application.storage.root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function temporaryFiles(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => /^(upload|attach)-[0-9a-f]+$/.test(name)).sort();
}
