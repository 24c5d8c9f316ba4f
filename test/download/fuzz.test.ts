import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { Entity, PrimaryColumn, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Answer, type Application, type Ask, startApplication } from "../support/application.js";
import { readAll } from "../support/connection.js";
import { LONGEST_WAIT } from "../support/eventually.js";
import { runs } from "../support/fuzz.js";

const everybody = { condition: () => true };

@Entity()
class Page {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn(everybody) file!: PrivateFile;
}

@Entity()
class Note {
  @PrimaryColumn({ type: "varchar" }) slug!: string;
  @PrivateFileColumn(everybody) file!: PrivateFile;
}

interface File {
  url: string;
  content: Buffer;
  etag: string;
  lastModified: string;
}

/** How many requests are under way at once. */
const AT_ONCE = 16;

describe("an application that is sent anything", () => {
  let application: Application;
  let files: File[];

  before(async () => {
    application = await startApplication({ entities: [Page, Note] });
    files = await saveFiles(application);
  });
  after(async () => {
    for (const { url, content } of files) assert.ok((await application.get(url)).body.equals(content));
    await application.close();
  });

  it("answers any Range and any conditions with 200, 206, 304, 412 or 416, and with the bytes that it says", async () => {
    const file = fc.constantFrom(...files);
    const request = file.chain((one) => fc.record({ file: fc.constant(one), headers: headersFor(one), method }));
    await eachAnswered(request, async ({ file: { url, content }, headers, method }) => {
      const answer = await application.get(url, { headers, method });
      assert.ok([200, 206, 304, 412, 416].includes(answer.status), `${answer.status}`);
      if (method === "GET") assertBytes(answer, content);
      else assert.equal(answer.body.length, 0);
    });
  });

  it("answers any path with 404 unless it is a file's own, and with 400 where no URL has such bytes", async () => {
    await eachAnswered(pathNear(files.map(({ url }) => url)), async (path) => {
      const { status, body } = await application.get(path);
      // Node cuts a fragment off, which no browser sends.
      const named = String(segmentsOf(path.split(/[?#]/)[0]!));
      const own = files.find(({ url }) => String(segmentsOf(url)) === named);
      const expected = NOT_IN_URLS.test(path) ? 400 : own ? 200 : 404;
      assert.equal(status, expected, JSON.stringify(path));
      assert.ok(status === 200 ? body.equals(own!.content) : body.length < 100);
    });
  });

  it("answers any bytes in a header or a path, also those that no HTTP client sends, with a status below 500", async () => {
    const place = fc.constantFrom("path", "Range", "If-None-Match", "If-Match", "If-Range", "If-Modified-Since");
    const bytes = fc.uint8Array({ maxLength: 60 }).map((any) => Buffer.from(any).toString("latin1"));
    const request = fc.record({ place, bytes, file: fc.constantFrom(...files) });
    await eachAnswered(request, async ({ place, bytes, file: { url } }) => {
      const target = place === "path" ? `/private-files/${bytes}` : url;
      const line = place === "path" ? "" : `${place}: ${bytes}\r\n`;
      const received = await exchange(
        application.port,
        `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${line}\r\n`,
      );
      assert.match(received, /^HTTP\/1\.1 (200|206|304|400|404|412|416) /);
    });
  });

  /** Sends many requests, some at once; nothing of them is an error of the server's. */
  async function eachAnswered<R>(request: fc.Arbitrary<R>, send: (request: R) => Promise<void>): Promise<void> {
    const { numRuns } = runs(800);
    const several = fc.array(request, { minLength: AT_ONCE, maxLength: AT_ONCE });
    await fc.assert(
      fc.asyncProperty(several, async (requests) => {
        await Promise.all(requests.map(send));
        assert.deepEqual(application.errors.splice(0).filter(isServerError), []);
      }),
      { numRuns: Math.ceil(numRuns / AT_ONCE), timeout: LONGEST_WAIT, includeErrorInReport: true },
    );
  }
});

/** What Node's parser refuses: before its version 9, as in Node 20.19.0, it takes bytes beyond ASCII. */
const NOT_IN_URLS = Number.parseInt(process.versions.llhttp!, 10) < 9 ? /[^!-~\x80-\xff]/ : /[^!-~]/;

/** The texts of a path's segments, each decoded once: `%c3` and `%C3` are the same. */
function segmentsOf(path: string): string[] | undefined {
  try {
    return path.split("/").map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

const method = fc.constantFrom("GET", "GET", "GET", "HEAD");

/** Any value that an HTTP client can send; also the longest that a server takes. */
const anyValue = fc.oneof(
  fc.string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((code) => code !== 0x7f)
      .map((code) => String.fromCharCode(code)),
  }),
  fc.string({ unit: fc.constantFrom(...'0123456789-,=*"W/ \tbytes:GMT') }),
);
const longValue = fc
  .tuple(
    fc.constantFrom("", "bytes=", "bytes=0-", '"', "Sun, "),
    fc.string({ unit: fc.constantFrom(...'09-, \t"W/'), minLength: 1, maxLength: 6 }),
  )
  .map(([start, unit]) => start + unit.repeat(12_000 / unit.length));

/** Ranges, tags and dates that are right, nearly right, or nothing at all. */
function headersFor({ content, etag, lastModified }: File): fc.Arbitrary<NonNullable<Ask["headers"]>> {
  const position = fc.oneof(
    fc.nat({ max: content.length + 9 }).map(String),
    fc.constantFrom("", "00", "99999999999999999999"),
  );
  const spec = fc.tuple(position, position).map((both) => both.join("-"));
  const range = fc.array(spec, { minLength: 1, maxLength: 11 }).map((specs) => `bytes=${specs.join(",")}`);
  const tag = fc.constantFrom(etag, `W/${etag}`, '"x"', '""', "*");
  const tags = fc.array(tag, { maxLength: 4 }).map((list) => list.join(", "));
  const date = fc.oneof(
    fc.constant(lastModified),
    fc.date({ min: new Date(0), max: new Date("2200-01-01"), noInvalidDate: true }).map((any) => any.toUTCString()),
  );
  const values = {
    Range: range,
    "If-Match": tags,
    "If-None-Match": tags,
    "If-Range": fc.oneof(tag, date),
    "If-Modified-Since": date,
    "If-Unmodified-Since": date,
  };
  const headers = Object.entries(values).map(([name, value]) => {
    const one = fc.oneof({ weight: 4, arbitrary: value }, { weight: 2, arbitrary: value.chain(changed) }, anyValue);
    return [name, fc.oneof({ weight: 9, arbitrary: one }, fc.array(one, { minLength: 2, maxLength: 2 }))] as const;
  });
  const long = fc
    .tuple(fc.constantFrom(...Object.keys(values)), longValue)
    .map((header) => Object.fromEntries([header]));
  const some = fc.record(Object.fromEntries(headers), { requiredKeys: [] }).filter(isSent);
  // Conditions hide one another, so each is also sent alone.
  const alone = fc.oneof(...headers.map(([name, value]) => value.map((one) => ({ [name]: one }))));
  return fc.oneof({ weight: 5, arbitrary: some }, { weight: 5, arbitrary: alone.filter(isSent) }, long) as fc.Arbitrary<
    NonNullable<Ask["headers"]>
  >;
}

/** Node's client sends no more than 16 KiB of headers. */
function isSent(headers: object): boolean {
  return JSON.stringify(headers).length < 12_000;
}

/** A text with one character replaced or left out. */
function changed(text: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat({ max: text.length }), fc.constantFrom(...'0379-,"W/ *a\xff', ""))
    .map(([place, other]) => text.slice(0, place) + other + text.slice(place + 1));
}

/** Paths under the prefix: those of files with a change, and others that mean something to some server. */
function pathNear(urls: string[]): fc.Arbitrary<string> {
  const prefix = "/private-files/";
  const segment = fc.oneof(
    fc.constantFrom(
      "page",
      "note",
      "file",
      "1",
      "a.txt",
      "..",
      ".",
      "",
      "%2e%2e",
      "%2f",
      "%00",
      "%ff",
      "__proto__",
      "-1",
    ),
    fc.string({
      unit: fc
        .integer({ min: 0x21, max: 0xff })
        .filter((code) => code !== 0x7f)
        .map((code) => String.fromCharCode(code)),
    }),
  );
  const mark = fc.constantFrom(
    ...'/%.~aA012-;+&?#\\:@|"<>`{}\x80\xe9',
    "%2F",
    "%61",
    "%C3",
    "%c3",
    "//",
    "/../",
    "a".repeat(8000),
  );
  const near = fc
    .tuple(fc.constantFrom(...urls), fc.nat({ max: 40 }), mark, fc.boolean())
    .map(
      ([url, place, other, put]) =>
        url.slice(0, prefix.length + place) + other + url.slice(prefix.length + place + (put ? 0 : 1)),
    );
  const made = fc.array(segment, { maxLength: 6 }).map((segments) => prefix + segments.join("/"));
  return fc.oneof(near, made, fc.constantFrom(...urls));
}

/** That an answer's body is as long as it says, and has the bytes that it says. */
function assertBytes({ status, headers, body }: Answer, content: Buffer): void {
  if (status === 304) assert.equal(body.length, 0);
  else assert.equal(headers["content-length"], String(body.length));
  if (status === 200) assert.ok(body.equals(content));
  const [, start, end] = /^bytes (\d+)-(\d+)\/\d+$/.exec(headers["content-range"] ?? "") ?? [];
  if (status === 206 && start !== undefined) assert.ok(body.equals(content.subarray(Number(start), Number(end) + 1)));
  if (status === 206 && start === undefined)
    assert.match(headers["content-type"]!, /^multipart\/byteranges; boundary=/);
}

function isServerError(error: Error): boolean {
  return !((error as { status?: number }).status! < 500);
}

/** What comes back for a request that is written byte by byte. */
async function exchange(port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(request, "latin1");
  const received = await readAll(socket);
  return received.toString("latin1");
}

async function saveFiles({ dataSource, files, get }: Application): Promise<File[]> {
  const contents = [0, 1, 11, 1000, 70_000].map((size) => Buffer.from(Array.from({ length: size }, (_, i) => i % 251)));
  const entities = contents.map((_, index) =>
    index % 2 === 0 ? dataSource.manager.create(Page, {}) : dataSource.manager.create(Note, { slug: `é/${index}` }),
  );
  return Promise.all(
    entities.map(async (entity, index) => {
      await files.attach(entity, "file", contents[index]!, { filename: "ä b.txt" });
      await dataSource.manager.save(entity);
      const url = files.url(entity, "file");
      const { headers } = await get(url);
      return { url, content: contents[index]!, etag: headers.etag!, lastModified: headers["last-modified"]! };
    }),
  );
}
