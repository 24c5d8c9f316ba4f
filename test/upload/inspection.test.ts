import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { request } from "node:http";
import { Readable } from "node:stream";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { type AttachOptions, PrivateFile, PrivateFileColumn, UploadError } from "typeorm-private-files";
import { type Answer, type Application, startApplication } from "../support/application.js";
import { after, before, beforeEach, describe, it } from "../support/suite.js";

const MOST = 300_000;
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const PDF = Buffer.from("%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n");
/** An empty ZIP archive. */
const ZIP = Buffer.concat([Buffer.from("PK\x05\x06"), Buffer.alloc(18)]);
const HTML = Buffer.from("<html><script>alert(1)</script></html>");
const TEXT = Buffer.from("a;b;c\n1;2;3\n");
const SVG = Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>');

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ nullable: true, type: String }) originalName!: string | null;
  @Column({ nullable: true, type: "integer" }) bytes!: number | null;
  @Column({ nullable: true, type: String }) mediaType!: string | null;
  @Column({ nullable: true, type: String, select: false }) digest!: string | null;
  @PrivateFileColumn<Scan>({
    nullable: true,
    condition: () => true,
    attachment: false,
    fields: { name: "originalName", size: "bytes", type: "mediaType", sha256: "digest" },
  })
  file!: PrivateFile | null;
  @PrivateFileColumn<Scan>({ nullable: true, maxSize: MOST }) limited!: PrivateFile | null;
  @PrivateFileColumn<Scan>({ nullable: true, accept: ["application/pdf", "image/*"], maxSize: MOST })
  picture!: PrivateFile | null;
  @PrivateFileColumn<Scan>({ nullable: true, accept: [".docx", ".csv", ".svg"] }) paper!: PrivateFile | null;
}

let application: Application;
before(async () => {
  application = await startApplication({ entities: [Scan] });
});
after(() => application.close());

type Property = "file" | "limited" | "picture" | "paper";

async function attach(property: Property, source: Buffer | Readable, options: AttachOptions = {}): Promise<Scan> {
  const scan = new Scan();
  await application.files.attach(scan, property, source, options);
  return scan;
}

/** What an upload is refused with. Nothing of it is left. */
async function refusal(
  property: Property,
  source: Buffer | Readable,
  options: AttachOptions = {},
): Promise<UploadError> {
  const before = await storedFiles();
  const error = await attach(property, source, options).then(
    () => assert.fail("it was taken"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof UploadError, String(error));
  assert.deepEqual(await storedFiles(), before);
  assert.equal(error.property, property);
  return error;
}

async function storedFiles(): Promise<string[]> {
  const entries = await readdir(application.storage.root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

/** A stream of so many bytes, which remembers how many of them were read. */
function counted(length: number) {
  const read = { bytes: 0 };
  const body = Readable.from(
    (function* () {
      for (let left = length; left > 0; left -= 16_384) {
        const chunk = Buffer.alloc(Math.min(left, 16_384), "x");
        read.bytes += chunk.length;
        yield chunk;
      }
    })(),
    { objectMode: false },
  );
  return { body, read };
}

describe("maxSize", () => {
  it("takes as many bytes, and not one more", async () => {
    await attach("limited", Buffer.alloc(MOST));
    await attach("limited", counted(MOST).body);
    for (const source of [Buffer.alloc(MOST + 1), counted(MOST + 1).body]) {
      const error = await refusal("limited", source, { filename: "a.bin" });
      assert.deepEqual([error.reason, error.status], ["too-large", 413]);
      assert.deepEqual(error.details, { maxSize: MOST, filename: "a.bin", size: MOST + 1 });
    }
  });

  it("stops an upload that never ends within 64 KiB of the limit", async () => {
    const { body, read } = counted(Number.POSITIVE_INFINITY);
    assert.equal((await refusal("limited", body)).reason, "too-large");
    assert.ok(read.bytes <= MOST + 65_536, `${read.bytes} bytes were read`);
  });

  it("reads nothing of what is known to be larger", async () => {
    const blob = new Blob([Buffer.alloc(MOST + 1)]);
    blob.stream = () => new ReadableStream({ type: "bytes", pull: () => assert.fail("it was read") }) as never;
    const error = await application.files.attach(new Scan(), "limited", blob as never).catch((error) => error);
    assert.equal((error as UploadError).reason, "too-large");
  });

  it("says what the type is of what was too large", async () => {
    const { details, reason } = await refusal("picture", Buffer.concat([PNG, Buffer.alloc(MOST)]), {
      filename: "a.png",
    });
    assert.equal(reason, "too-large");
    assert.equal(details.size, MOST + PNG.length);
    const streamed = Readable.from([PNG, Buffer.alloc(MOST)], { objectMode: false });
    assert.equal((await refusal("picture", streamed, { filename: "a.png" })).details.type, "image/png");
  });

  it("answers 413 to a raw body that Content-Length says is too large, before it is sent", async (t) => {
    const site = await startApplication({
      entities: [Scan],
      before: (app) =>
        app.use(async (ctx, next) => {
          if (ctx.method !== "PUT") return next();
          await site.files.attach(new Scan(), "limited", ctx.req);
          ctx.status = 204;
        }),
    });
    t.after(() => site.close());
    const put = (length: number, body: Buffer) =>
      new Promise<number>((resolve, reject) => {
        const headers = { "Content-Length": length };
        const asked = request({ port: site.port, method: "PUT", path: "/", headers }, ({ statusCode }) => {
          resolve(statusCode!);
          asked.destroy();
        });
        asked.on("error", reject);
        asked.write(body);
      });
    assert.equal(await put(5e9, Buffer.alloc(10)), 413);
    assert.equal(await put(10, Buffer.alloc(10)), 204);
  });
});

describe("accept", () => {
  const rows: [property: Property, what: string, filename: string, bytes: Buffer, taken: boolean][] = [
    ["picture", "a PDF", "a.pdf", PDF, true],
    ["picture", "an image", "a.PNG", PNG, true],
    ["picture", "an image of another accepted type than its extension's", "a.jpg", PNG, true],
    ["picture", "an image without an extension", "photo", PNG, true],
    ["picture", "an image with an extension that is unknown", "photo.backup1", PNG, false],
    ["picture", "an image by its name alone", "a.png", TEXT, false],
    ["picture", "an HTML page by the name of an image", "a.png", HTML, false],
    ["picture", "an image by the name of an HTML page", "a.html", PNG, false],
    ["picture", "an archive by the name of a PDF", "a.pdf", ZIP, false],
    ["picture", "no bytes by the name of an image", "a.png", Buffer.alloc(0), false],
    ["picture", "a text", "a.txt", TEXT, false],
    ["picture", "a text without a name", "", TEXT, false],
    ["picture", "an image that is a text as well, by the name of a script", "a.js", Buffer.from("GIF89a/*"), false],
    ["paper", "a CSV file", "a.csv", TEXT, true],
    ["paper", "a CSV file with an image's bytes", "a.csv", PNG, false],
    ["paper", "a drawing with the signature of XML", "a.svg", SVG, true],
    ["paper", "a drawing without a signature", "a.svg", Buffer.from("<svg/>"), true],
    ["paper", "an Office document that is a plain archive by its first bytes", "a.docx", ZIP, true],
    ["paper", "an Office document by its name alone", "a.docx", TEXT, false],
    ["paper", "an archive by its own name", "a.zip", ZIP, false],
    ["paper", "an extension behind another one", "a.csv.exe", TEXT, false],
  ];
  for (const [property, what, filename, bytes, taken] of rows) {
    it(`${taken ? "takes" : "refuses"} ${what}`, async () => {
      for (const source of [
        bytes,
        Readable.from(
          [...bytes].map((byte) => Buffer.of(byte)),
          { objectMode: false },
        ),
      ]) {
        if (taken) {
          const scan = await attach(property, source, { filename });
          assert.ok(scan[property] instanceof PrivateFile);
          continue;
        }
        const error = await refusal(property, source, { filename, type: "image/png" });
        assert.deepEqual([error.reason, error.status], ["type", 415]);
        assert.ok(error.details.accept!.length > 0);
      }
    });
  }

  it("names both types in the message", async () => {
    const { message, details } = await refusal("picture", ZIP, { filename: "a.pdf" });
    assert.match(
      message,
      /^Scan\.picture: .* bytes are application\/zip, its extension is "\.pdf"\. Send one of application\/pdf, image\/\*\.$/,
    );
    assert.equal(details.type, "application/zip");
  });

  it("refuses a large upload as soon as its first bytes tell its type", async () => {
    const { body, read } = counted(1e9);
    assert.equal((await refusal("paper", body, { filename: "a.docx" })).reason, "type");
    assert.ok(read.bytes < 300_000, `${read.bytes} bytes were read`);
  });

  it("lets nothing through but a typed error, whatever the bytes are", async () => {
    for (const signature of [
      PNG,
      PDF,
      Buffer.from("PK\x03\x04"),
      Buffer.from("OggS"),
      Buffer.from("\x1aE\xdf\xa3", "latin1"),
      Buffer.from("RIFF"),
    ]) {
      for (let round = 0; round < 20; round++) {
        const bytes = Buffer.concat([signature.subarray(0, 4 + round), randomBytes(round * 40)]);
        await attach("picture", bytes, { filename: "a.docx" }).catch((error) => assert.equal(error.reason, "type"));
      }
    }
  });

  it("holds for a copy", async () => {
    const original = await attach("file", TEXT, { filename: "a.txt" });
    await application.dataSource.manager.save(original);
    await assert.rejects(application.files.copy(original, "file", new Scan(), "picture"), {
      reason: "type",
      status: 415,
    });
    await assert.rejects(application.files.copy(original, "file", new Scan(), "limited", { sha256: "0".repeat(64) }), {
      reason: "checksum",
    });
  });
});

describe("fields", () => {
  const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  let large: Buffer;
  beforeEach(() => {
    large = Buffer.concat([PDF, randomBytes(2_000_000)]);
  });

  it("get the name, the size, the type and the digest of an upload, of any source", async () => {
    for (const source of [large, Readable.from([large], { objectMode: false }), new File([large], "x") as never]) {
      const { originalName, bytes, mediaType, digest } = await attach("file", source, { filename: "Übung 1.pdf" });
      assert.deepEqual(
        [originalName, bytes, mediaType, digest],
        ["Übung 1.pdf", large.length, "application/pdf", sha256(large)],
      );
    }
  });

  it("get no type where the bytes are not what the extension says", async () => {
    assert.equal((await attach("file", TEXT, { filename: "a.png", type: "image/png" })).mediaType, null);
    assert.equal((await attach("file", PNG, { filename: "a.txt" })).mediaType, "image/png");
    assert.equal((await attach("file", TEXT, { filename: "a.csv" })).mediaType, "text/csv");
  });

  it("are null after detach, and of an adopted object all but the size", async () => {
    const { files, storage } = application;
    const scan = await attach("file", PDF, { filename: "a.pdf" });
    files.detach(scan, "file");
    assert.deepEqual([scan.originalName, scan.bytes, scan.mediaType, scan.digest], [null, null, null, null]);
    await storage.put("imports/a.pdf", Readable.from([PDF], { objectMode: false }));
    await files.adopt(scan, "file", "imports/a.pdf");
    assert.deepEqual([scan.originalName, scan.bytes, scan.mediaType, scan.digest], [null, PDF.length, null, null]);
  });

  it("get what a copy has", async () => {
    const scan = await attach("file", PDF, { filename: "a.pdf" });
    const copy = new Scan();
    await application.files.copy(scan, "file", copy, "file");
    assert.deepEqual(
      [copy.originalName, copy.bytes, copy.mediaType, copy.digest],
      ["a.pdf", PDF.length, "application/pdf", sha256(PDF)],
    );
  });

  it("decide the type and the tag of a download", async () => {
    const answers = [];
    for (const filename of ["photo", "holiday.txt"]) {
      const scan = await application.dataSource.manager.save(await attach("file", PNG, { filename }));
      answers.push(await application.get(application.files.url(scan, "file")));
    }
    const [first, second] = answers as [Answer, Answer];
    assert.deepEqual([first.headers["content-type"], second.headers["content-type"]], ["image/png", "image/png"]);
    assert.match(first.headers["content-disposition"]!, /^inline/);
    assert.equal(first.headers.etag, second.headers.etag, "both files have the same bytes");
    assert.ok(!first.headers.etag!.includes(sha256(PNG).slice(0, 8)));
  });

  it("are no way to have a browser run a file: a row may say anything", async () => {
    const scan = await application.dataSource.manager.save(await attach("file", HTML, { filename: "a.png" }));
    for (const type of ["text/html", "image/svg+xml", "text/html;charset=utf-8", "x\r\nSet-Cookie: a=b", "evil"]) {
      await application.dataSource.manager.update(Scan, scan.id, { mediaType: type });
      const { headers } = await application.get(application.files.url(scan, "file"));
      assert.equal(headers["content-type"], "application/octet-stream");
      assert.match(headers["content-disposition"]!, /^attachment/);
    }
  });
});

describe("An expected digest", () => {
  it("is held against the bytes, in any case of its digits", async () => {
    const sha256 = createHash("sha256").update(PDF).digest("hex");
    await attach("limited", PDF, { sha256 });
    await attach("limited", PDF, { sha256: sha256.toUpperCase() });
    const { reason, status } = await refusal("limited", PDF, {
      sha256: sha256.replace(/./, (digit) => (digit === "0" ? "1" : "0")),
    });
    assert.deepEqual([reason, status], ["checksum", 422]);
  });
});

describe("onProgress", () => {
  it("is told how many bytes were read so far", async () => {
    const told: number[] = [];
    await attach("limited", counted(100_000).body, { onProgress: (bytes) => told.push(bytes) });
    assert.deepEqual(
      told,
      [...told].sort((a, b) => a - b),
    );
    assert.equal(told.at(-1), 100_000);
    assert.ok(told.length > 1);
  });

  it("fails the upload with what it throws", async () => {
    const before = await storedFiles();
    const boom = new Error("boom");
    const failing = attach("limited", counted(100_000).body, {
      onProgress: () => {
        throw boom;
      },
    });
    await assert.rejects(failing, (error: Error) => error === boom || error.cause === boom);
    assert.deepEqual(await storedFiles(), before);
  });
});
