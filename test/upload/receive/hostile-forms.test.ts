import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import type { Context } from "koa";
import { descriptors } from "../../support/cut-requests.js";
import { eventually } from "../../support/eventually.js";
import { after, before, beforeEach, describe, it } from "../../support/suite.js";
import { file, form, text } from "../form/form-body.js";
import { type FormSite, fileOf, MOST_BYTES, Submission, startFormSite } from "../form/form-site.js";
import { type RawForm, statusOf } from "./raw-form.js";

/** `receive` and the other ways to parse forms, by the paths of their routes. */
const PARSERS = ["receive/parts", "koa-body/attach", "multer/attach", "receive/function"] as const;
const OPEN = "------boundary";
const END = `${OPEN}--`;
const NAMED = 'Content-Disposition: form-data; name="file"; filename="a.txt"';
/** A file, where its type is a binary one. */
const UNNAMED = 'Content-Disposition: form-data; name="file"';
const BINARY = "Content-Type: application/octet-stream";
const TYPED = "Content-Type: text/plain";
const FILE = file("file", "the bytes");
const ONE_FILE = form(text("description", "A report"), FILE);

/** A part with these headers. */
function part(headers: readonly string[], content: string | Buffer = "x"): Buffer {
  return Buffer.concat([raw(OPEN, ...headers, "", ""), Buffer.from(content as string), raw("", "")]);
}

/** These lines as they are. */
function raw(...lines: string[]): Buffer {
  return Buffer.from(lines.join("\r\n"));
}

/** A part with this disposition. */
const disposed = (parameters: string, content?: string) =>
  part([`Content-Disposition: form-data; ${parameters}`, TYPED], content);
const withFile = (...parts: Buffer[]): RawForm => ({ body: form(...parts, FILE) });
const only = (...parts: Buffer[]): RawForm => ({ body: form(...parts) });
const times = (count: number, part: (n: number) => Buffer) => Array.from({ length: count }, (_, n) => part(n));

/**
 * What all answer, or each of them: `receive` with a function answers as it does with parts if no other status is given. Without a status a
 * parser is left out: formidable keeps headers without limit, and multer waits for the end of a file that has none.
 */
type Statuses = number | [receive: number, koaBody?: number, multer?: number, withFunction?: number];

/** Forms, and what they are answered. */
const FORMS: [what: string, form: RawForm, statuses: Statuses][] = [
  // The shape of the whole form.
  ["nothing at all", { body: Buffer.alloc(0) }, 400],
  ["no boundary in the body", { body: Buffer.from("the bytes") }, 400],
  ["another boundary than its Content-Type says", { body: ONE_FILE, type: "multipart/form-data; boundary=other" }, 400],
  ["no boundary in its Content-Type", { body: ONE_FILE, type: "multipart/form-data" }, 400],
  ["an empty boundary", { body: ONE_FILE, type: "multipart/form-data; boundary=" }, 400],
  ["no Content-Type", { body: ONE_FILE, type: "" }, 400],
  ["the end alone", { body: raw(END, "") }, 400],
  ["a begin alone", { body: raw(OPEN, "") }, 400],
  ["no end", { body: raw(OPEN, NAMED, TYPED, "", "no end") }, 400],
  ["an end that lacks a hyphen", { body: raw(OPEN, NAMED, TYPED, "", "x", `${OPEN}-`, "") }, 400],
  ["a preamble", { body: Buffer.concat([raw("A preamble", "of two lines", ""), ONE_FILE]) }, 201],
  ["an epilogue", { body: Buffer.concat([ONE_FILE, raw("An epilogue", "of two lines", "")]) }, 201],
  [
    "an epilogue that begins another file",
    { body: Buffer.concat([ONE_FILE, raw(OPEN, "", OPEN, NAMED, TYPED, "", "x")]) },
    [400, 201, undefined],
  ],
  ["a whole form in its epilogue", { body: Buffer.concat([ONE_FILE, ONE_FILE]) }, [400, 201, 400]],
  ["LF in place of CRLF", { body: Buffer.from(String(ONE_FILE).replaceAll("\r\n", "\n")) }, 400],
  ["CR in place of CRLF", { body: Buffer.from(String(ONE_FILE).replaceAll("\r\n", "\r")) }, 400],
  [
    "spaces after its boundaries",
    { body: Buffer.from(String(ONE_FILE).replaceAll("boundary\r", "boundary  \r")) },
    400,
  ],
  ["a boundary whose bytes fill the file, so that few can be skipped", slow(), 201],
  ["a boundary of 5000 characters", { body: ONE_FILE, type: `multipart/form-data; boundary=${"-".repeat(5000)}` }, 400],
  [
    "the beginnings of boundaries all over its file",
    only(file("file", `\r\n${OPEN.slice(0, -1)}`.repeat(10_000))),
    201,
  ],
  // Headers of parts.
  ["a part whose headers are cut", { body: raw(OPEN, 'Content-Disposition: form-data; name="fi') }, 400],
  ["a part whose headers have no end", { body: raw(OPEN, NAMED, TYPED, END, "") }, 400],
  ["a part without headers", only(part([])), 400],
  ["a part without a Content-Disposition", only(part([TYPED])), 400],
  ["a part with another disposition", only(part(['Content-Disposition: attachment; name="file"; filename="a"'])), 400],
  ["a part with a malformed disposition", only(part(['Content-Disposition: form-data; name="file'])), 400],
  ["a header without a colon", only(part(["Content-Disposition", NAMED])), 400],
  [
    "a malformed header before a file that has no bytes",
    { body: raw(OPEN, "a", "", "", OPEN, UNNAMED, BINARY, "", "") },
    400,
  ],
  ["a header that begins with a space", only(part([` ${NAMED}`])), 400],
  [
    "a header that is folded",
    only(part(['Content-Disposition: form-data;\r\n name="file";\r\n filename="a.txt"'])),
    [201, 400, 201],
  ],
  ["a disposition twice", only(part([NAMED, NAMED.replace("file", "other")])), [201, 400, 201]],
  ["a NUL in a header", only(part([NAMED, "X-Other: a\0b"])), 400],
  ["10000 headers in a part", only(part([NAMED, ...Array<string>(10_000).fill("a: b")])), 400],
  ["a header of 1 MB", only(part([NAMED, `X-Other: ${"x".repeat(1e6)}`])), 400],
  ["a header of 64 MB", only(part([NAMED, `X-Other: ${"x".repeat(64e6)}`])), [413, undefined, 400, 400]],
  ["a name of a header of 1 MB", only(part([NAMED, `${"x".repeat(1e6)}: y`])), 400],
  // Names.
  ["an empty name of a file's field", only(disposed('name=""; filename="a.txt"')), 400],
  ["no name of a file's field", only(disposed('filename="a.txt"')), 400],
  ["an empty name of a text", withFile(disposed('name=""')), [400, 201, 400]],
  ["a name of 10000 characters", withFile(text("x".repeat(10_000), "x")), 201],
  ["a file name of 10000 characters", only(file("file", "x", `${"x".repeat(10_000)}.txt`)), 201],
  ["a file name of 10000 characters of 4 bytes", only(file("file", "x", `${"😀".repeat(4000)}.txt`)), 201],
  ["a NUL in a name", withFile(disposed('name="a\0b"')), [400, 201, 400]],
  ["a NUL in a file name", only(disposed('name="file"; filename="a\0b.txt"')), [400, 201, 400]],
  ["CRLF in a name", withFile(disposed('name="a\r\nb"')), 400],
  ["CRLF in a file name", only(disposed('name="file"; filename="a\r\nX-Other: b"')), [400, 201, 400]],
  ["an encoded NUL and CRLF in a file name", only(disposed(`name="file"; filename*=utf-8''a%00b%0d%0ac.txt`)), 201],
  ["a percent-encoded CRLF in a file name, as browsers write it", only(file("file", "x", "a%0D%0Ab.txt")), 201],
  ["a path of a file name", only(file("file", "x", "../../../etc/passwd")), 201],
  ["an absolute path of a file name", only(file("file", "x", "C:\\Windows\\system32\\a.dll")), 201],
  ["a file name of dots", only(file("file", "x", "..")), [201, 201, 400]],
  ["a file name that is no UTF-8", only(disposed(`name="file"; filename*=utf-8''%ff%fe.txt`)), 201],
  ["a file name in an unknown charset", only(disposed(`name="file"; filename*=klingon''a.txt`)), [400, 201, 400]],
  ["a file name that turns its text around", only(file("file", "x", "\u202Egpj.exe")), 201],
  [
    "names that mean something to JavaScript",
    withFile(...times(3, (n) => text(["__proto__", "constructor", "toString"][n]!, "x"))),
    201,
  ],
  ["a file in a field with such a name", withFile(file("__proto__", "x")), [400, 201, 400]],
  ["names of 3000 levels", withFile(text(`a${"[b]".repeat(3000)}`, "x")), [201, 201, 400]],
  ["a great index", withFile(text("a[4294967294]", "x"), text("a[]", "x")), [201, 201, 400]],
  // Many of them.
  ["5000 texts", withFile(...times(5000, (n) => text(`text${n}`, "x"))), [413, 413, 400]],
  ["5000 texts of one name", withFile(...times(5000, () => text("text", "x"))), [413, 413, 400]],
  ["5000 files", withFile(...times(5000, (n) => file(`file${n}`, "x"))), [413, 413, 400]],
  ["5000 fields without a file", withFile(...times(5000, () => file("file", "", ""))), [413, 400, 400]],
  ["5000 parts without a disposition", withFile(...times(5000, () => part([TYPED]))), [201, 413, 201]],
  ["a file twice", withFile(FILE), [400, 400, 400, 201]],
  ["a file and a text of the same name", withFile(text("file", "x")), [400, 201, 201, 201]],
  ["a text of 2 MB", withFile(text("text", "x".repeat(2e6))), [413, 201, 413]],
  ["a file that is too large", only(file("file", Buffer.alloc(MOST_BYTES + 1))), 413],
  ["no file", only(text("description", "x")), 400],
  ["an empty file", only(file("file", "")), [201, 400, 201]],
  // Encodings.
  ["a nested multipart/mixed", only(nested()), [400, 201, 400]],
  [
    "base64 as the transfer encoding",
    only(part([NAMED, "Content-Transfer-Encoding: base64"], "YWJj")),
    [201, 400, 201],
  ],
  ["an unknown transfer encoding", only(part([NAMED, "Content-Transfer-Encoding: zip"], "YWJj")), [201, 400, 201]],
  [
    "a text in an unknown charset",
    withFile(part(['Content-Disposition: form-data; name="a"', "Content-Type: text/plain; charset=klingon"])),
    [400, 201, 201],
  ],
  [
    "a text in UTF-16",
    withFile(part(['Content-Disposition: form-data; name="a"', "Content-Type: text/plain; charset=utf-16le"])),
    201,
  ],
  ["a malformed type of a file", only(part([NAMED, "Content-Type: /;;="])), 201],
  [
    "the type application/octet-stream and no file name",
    only(part(['Content-Disposition: form-data; name="file"', "Content-Type: application/octet-stream"])),
    [201, 201, 400],
  ],
  [
    "gzip as its Content-Encoding",
    { body: ONE_FILE, headers: [`Content-Length: ${ONE_FILE.length}`, "Content-Encoding: gzip"] },
    201,
  ],
  // How it is sent.
  ["a Content-Length that is too short", { body: ONE_FILE, headers: [`Content-Length: ${ONE_FILE.length - 10}`] }, 400],
  ["a Content-Length that is no number", { body: ONE_FILE, headers: ["Content-Length: 1e3"] }, 400],
  ["chunks", { body: ONE_FILE, chunks: 100 }, 201],
  ["chunks of 1 byte", { body: ONE_FILE, chunks: 1 }, 201],
  ["a malformed chunk", { body: Buffer.from("xyz\r\n"), headers: ["Transfer-Encoding: chunked"] }, 400],
  ["packets of 1 byte", { body: ONE_FILE, pieces: 1 }, 201],
  [
    "Expect: 100-continue",
    { body: ONE_FILE, headers: [`Content-Length: ${ONE_FILE.length}`, "Expect: 100-continue"] },
    100,
  ],
];

let site: FormSite;
let atRest: number;
before(async () => {
  site = await startFormSite({ parts, function: byFunction, attach });
  site.app.silent = true;
  for (const parser of PARSERS) assert.equal(await send(parser, { body: ONE_FILE }), 201);
  await site.files.check();
  atRest = descriptors();
});
after(() => site.close());
beforeEach(() => {
  site.errors.length = 0;
});

for (const [index, parser] of PARSERS.entries()) {
  describe(`A form for ${parser}`, () => {
    for (const [what, form, statuses] of FORMS) {
      const expected = statusFor(index, statuses);
      if (expected === undefined) continue;
      it(`that has ${what} is answered ${expected}, soon, and leaves nothing`, async () => {
        assert.equal(await send(parser, form), expected, site.errors[0]?.stack);
        await nothingIsLeft();
        assert.equal(({} as { a?: string }).a, undefined);
      });
    }
  });
}

function statusFor(parser: number, statuses: Statuses): number | undefined {
  if (typeof statuses === "number") return statuses;
  return statuses.length > parser ? statuses[parser] : parser === 3 ? statuses[0] : undefined;
}

async function parts(ctx: Context): Promise<void> {
  await site.files.receive(ctx, { file: [new Submission(), "file"] }, { fileSize: MOST_BYTES });
  ctx.status = 201;
}

async function byFunction(ctx: Context): Promise<void> {
  const submissions: Submission[] = [];
  await site.files.receive(
    ctx,
    ({ name }) => {
      if (name !== "file") return undefined;
      submissions.push(new Submission());
      return [submissions.at(-1)!, "file"];
    },
    { fileSize: MOST_BYTES },
  );
  ctx.status = submissions.length > 0 ? 201 : 400;
}

async function attach(ctx: Context): Promise<void> {
  const { key } = await site.files.attach(new Submission(), "file", fileOf(ctx));
  await site.storage.delete(key);
  ctx.status = 201;
}

function send(parser: string, form: RawForm): Promise<number> {
  return statusOf(site.port, `/${parser}`, form);
}

/** RFC 2046, section 5.1.1: a boundary has 70 characters at most. */
function slow(): RawForm {
  const boundary = "a".repeat(70);
  const content = `\r\n--${"a".repeat(60)}b`.repeat(1000) + "a".repeat(200_000);
  const body = raw(`--${boundary}`, NAMED, TYPED, "", content, `--${boundary}--`, "");
  return { body, type: `multipart/form-data; boundary=${boundary}` };
}

function nested(): Buffer {
  const inner = raw("--inner", 'Content-Disposition: file; filename="a.txt"', TYPED, "", "x", "--inner--", "");
  return part(['Content-Disposition: form-data; name="file"', "Content-Type: multipart/mixed; boundary=inner"], inner);
}

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
