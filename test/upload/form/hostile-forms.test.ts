import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import fc from "fast-check";
import type { Context } from "koa";
import { formidableOptions } from "typeorm-private-files";
import { cutRequest, descriptors } from "../../support/cut-requests.js";
import { eventually } from "../../support/eventually.js";
import { runs } from "../../support/fuzz.js";
import { after, before, beforeEach, describe, it } from "../../support/suite.js";
import { CONTENT_TYPE, file, form, requestOf, text } from "./form-body.js";
import { type FormSite, fileOf, MOST_BYTES, Submission, startFormSite } from "./form-site.js";

/** Each way to parse forms that the documentation shows, and one that takes every file of a form. */
const PARSERS = ["receive", "koa-body", "multer", "multer-memory", "multer-any"] as const;
const ONE_FILE = form(text("description", "A report"), file("file", "the bytes"));

let site: FormSite;
let atRest: number;
before(async () => {
  site = await startFormSite({ attach });
  for (const parser of PARSERS) await site.send(`/${parser}/attach`, ONE_FILE);
  atRest = descriptors();
});
after(() => site.close());
beforeEach(() => {
  site.errors.length = 0;
});

async function attach(ctx: Context): Promise<void> {
  if (ctx.path.startsWith("/receive/")) {
    await site.files.receive(ctx, { file: [new Submission(), "file"] }, { fileSize: MOST_BYTES });
    ctx.status = 201;
    return;
  }
  const source = fileOf(ctx) ?? (ctx.request.files as unknown as unknown[] | undefined)?.[0];
  const { key } = await site.files.attach(new Submission(), "file", source as never);
  await site.storage.delete(key);
  ctx.status = 201;
}

/** A form with parts that are written as they are. */
function raw(...lines: string[]): Buffer {
  return Buffer.from(lines.join("\r\n"));
}

const OPEN = "------boundary";
const NAMED = 'Content-Disposition: form-data; name="file"; filename="a.txt"';
const TYPED = "Content-Type: text/plain";
const manyFiles = (count: number) => form(...Array.from({ length: count }, (_, n) => file(`file${n}`, "x")));
const manyTexts = (count: number) => Array.from({ length: count }, (_, n) => text(`text${n}`, "x"));

const TWO_FILES = form(text("description", "x"), file("file", "some bytes of a file"), file("other", "x"));
const PIECES = [
  "\r\n",
  "--",
  OPEN,
  `${OPEN}--`,
  ":",
  ";",
  "\0",
  '"',
  "=",
  "\xff",
  "name=",
  "filename*=utf-8''%ff",
  "[",
  "__proto__",
];
PIECES.push(
  "Content-Transfer-Encoding: base64\r\n",
  "Content-Transfer-Encoding: x\r\n",
  "Content-Type: multipart/mixed\r\n",
);

/** Puts something else in the place of some bytes of a form: other bytes, or bytes of its own. */
const change = fc
  .record({
    at: fc.nat(TWO_FILES.length),
    left: fc.nat(40),
    from: fc.nat(TWO_FILES.length),
    piece: fc.option(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: "binary", maxLength: 4 }))),
  })
  .map(({ at, left, from, piece }) => (body: Buffer) => {
    const put = piece === null ? body.subarray(from, from + left) : Buffer.from(piece, "latin1");
    return Buffer.concat([body.subarray(0, at), put, body.subarray(at + left)]);
  });

/** What was reported of parsers, the forms, and the answers: the first that fits, in the order of the parsers. */
const FORMS: [
  report: string,
  what: string,
  body: Buffer,
  statuses: number | [number, number, number, number, number],
][] = [
  ["CVE-2022-24434", "a header that begins with a space", raw(OPEN, ` ${NAMED}`, "", "", `${OPEN}--`), 400],
  ["CVE-2025-47944", "an end that lacks a letter", raw(OPEN, NAMED, TYPED, "", "", "------boundar"), 400],
  ["CVE-2025-47944", "no end at all", raw(OPEN, NAMED, TYPED, "", "no end"), 400],
  ["CVE-2025-48997", "a file in a field whose name is empty", form(file("", "x")), 400],
  [
    "CVE-2025-48997",
    "a text in a field whose name is empty",
    form(text("", "x"), file("file", "x")),
    [400, 201, 400, 400, 400],
  ],
  ["CVE-2025-7338", "a part that ends in its headers", raw(OPEN, NAMED, TYPED, "", `${OPEN}--`, ""), 400],
  ["CVE-2025-7338", "a header without a colon", raw(OPEN, "Content-Disposition", "", "x", `${OPEN}--`, ""), 400],
  [
    "CVE-2026-3304",
    "a file without a field after one that is right",
    Buffer.concat([
      ONE_FILE.subarray(0, -(`${OPEN}--`.length + 2)),
      raw(OPEN, 'Content-Disposition: form-data; filename="b"', TYPED, "", "x", `${OPEN}--`, ""),
    ]),
    [400, 201, 400, 400, 400],
  ],
  ["CVE-2026-3520", "5000 files", manyFiles(5000), [413, 413, 400, 400, 400]],
  [
    "CVE-2026-5079",
    "a name of 5000 levels",
    form(text(`a${"[b]".repeat(5000)}`, "x"), file("file", "x")),
    [201, 201, 400, 400, 400],
  ],
  [
    "CVE-2026-5079",
    "a name of 100000 levels",
    form(text(`a${"[b]".repeat(1e5)}`, "x"), file("file", "x")),
    [400, 201, 400, 400, 400],
  ],
  ["CVE-2026-77063", "a file that is too large", form(file("file", Buffer.alloc(MOST_BYTES + 1))), 413],
  [
    "CVE-2026-77078",
    "the greatest index, and one more element",
    form(text("a[4294967294]", "x"), text("a[]", "x"), file("file", "x")),
    [201, 201, 400, 400, 400],
  ],
  [
    "CVE-2026-82333",
    "a great index, and a name beside it",
    form(text("a[4294967290]", "x"), text("a[b]", "x"), file("file", "x")),
    [201, 201, 400, 400, 400],
  ],
  ["Django CVE-2023-24580", "20000 fields", form(...manyTexts(20_000), file("file", "x")), [413, 413, 400, 400, 400]],
  [
    "express-fileupload CVE-2020-7699",
    "the name of a prototype",
    form(text("__proto__[a]", "x"), file("file", "x")),
    201,
  ],
];

for (const [index, parser] of PARSERS.entries()) {
  describe(`A hostile form for ${parser}`, () => {
    for (const [report, what, body, statuses] of FORMS) {
      it(`is answered, and leaves no file and no descriptor: ${what} (${report})`, async () => {
        const expected = typeof statuses === "number" ? statuses : statuses[index];
        assert.equal(await site.send(`/${parser}/attach`, body), expected, String(site.errors));
        await nothingIsLeft();
        assert.equal(await site.send(`/${parser}/attach`, ONE_FILE), 201);
        assert.equal(({} as { a?: string }).a, undefined);
      });
    }

    it("leaves no file and no descriptor when its client leaves in the middle (CVE-2025-47935, CVE-2026-2359, CVE-2026-5038, CVE-2026-77037)", async () => {
      const body = form(file("file", Buffer.alloc(100_000)), file("other", Buffer.alloc(100_000)));
      for (const bytes of [1, 50, 150, 50_000, 100_200, 150_000, body.length - 3]) {
        await cutRequest(site.port, requestOf(`/${parser}/attach`, body), bytes);
      }
      await nothingIsLeft();
      assert.equal(await site.send(`/${parser}/attach`, ONE_FILE), 201);
    });

    it("is answered 201 or 4xx, and leaves nothing, whatever is wrong in it", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
          const body = changes.reduce((bytes, apply) => apply(bytes), TWO_FILES);
          const status = await site.send(`/${parser}/attach`, body);
          assert.ok(status === 201 || (status >= 400 && status < 500), `${status} ${site.errors.at(-1)?.stack}`);
        }),
        runs(200),
      );
      await nothingIsLeft();
    });

    it("is refused when its content type says no boundary, an empty one or a wrong one (CVE-2022-24434)", async () => {
      for (const type of ["multipart/form-data", "multipart/form-data; boundary=", `${CONTENT_TYPE}x`]) {
        assert.equal(await site.send(`/${parser}/attach`, ONE_FILE, type), 400, type);
      }
      await nothingIsLeft();
    });
  });
}

describe("formidableOptions", () => {
  it("takes 100 files of a form, or as many as it is told, or any number", () => {
    const mostFiles = (options?: { maxFiles?: number }) =>
      (formidableOptions(options) as { maxFiles?: number }).maxFiles;
    assert.deepEqual([mostFiles(), mostFiles({}), mostFiles({ maxFiles: undefined })], [100, 100, 100]);
    assert.deepEqual([mostFiles({ maxFiles: 1 }), mostFiles({ maxFiles: Infinity })], [1, Infinity]);
  });
});

async function nothingIsLeft(): Promise<void> {
  await eventually(async () => {
    assert.deepEqual(await site.temporaryFiles(), []);
    const stored = await readdir(site.storage.root, { recursive: true, withFileTypes: true });
    assert.deepEqual(
      stored.filter((entry) => entry.isFile()).map(({ name }) => name),
      [],
    );
    assert.ok(descriptors() <= atRest, `${descriptors()} descriptors, ${atRest} at rest`);
  });
}
