import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { openConnection, readAll } from "../support/connection.js";
import { filmOf } from "../support/film.js";

@Entity()
class Film {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Film>({ condition: (ctx) => ctx.get("x-user") !== "mallory" }) file!: PrivateFile;
}

const small = Buffer.from("0123456789a");
const large = filmOf(3_000_000);

let application: Application;
let films: { content: Buffer; url: string; etag: string }[];

before(async () => {
  application = await startApplication({ entities: [Film] });
  films = [await store(small), await store(large)];
});
after(() => application.close());

/** What is asked, and what comes back. */
interface Question {
  what: string;
  status: number;
  method?: string;
  headers?: (etag: string) => string[];
  body: (content: Buffer) => Buffer;
}

const none = () => Buffer.alloc(0);
const questions: Question[] = [
  { what: "a GET", status: 200, body: (content) => content },
  { what: "a HEAD", status: 200, method: "HEAD", body: none },
  { what: "a condition that is met", status: 304, headers: (etag) => [`If-None-Match: ${etag}`], body: none },
  { what: "a Range", status: 206, headers: () => ["Range: bytes=2-8"], body: (content) => content.subarray(2, 9) },
  {
    what: "a Range behind the end",
    status: 416,
    headers: () => ["Range: bytes=9999999-"],
    body: () => Buffer.from("Range Not Satisfiable"),
  },
  { what: "a refusal", status: 403, headers: () => ["X-User: mallory"], body: () => Buffer.from("Forbidden") },
  { what: "a HEAD that is refused", status: 403, method: "HEAD", headers: () => ["X-User: mallory"], body: none },
  { what: "another method", status: 405, method: "DELETE", body: () => Buffer.from("Method Not Allowed") },
];

describe("a client of HTTP/1.0", () => {
  for (const question of questions) {
    const { what, status, method, body } = question;
    // Node closes after a 304: it has no Content-Length, which is all that HTTP/1.0 knows an end by.
    const keeps = status !== 304;
    const answers = `answers ${status} to ${what}`;

    it(`that says nothing of the connection gets it closed after the server ${answers}`, async (t) => {
      for (const { content, url, etag } of films) {
        const received = await converse(t, [request("1.0", question, url, etag)]);
        const [answer, ...others] = parse(received, [method]);
        assert.equal(others.length, 0);
        assert.equal(answer!.status, status);
        assert.ok(answer!.body.equals(body(content)));
        assert.equal(answer!.headers.connection, "close");
        assert.equal(answer!.headers["transfer-encoding"], undefined);
      }
    });

    it(`that asks to keep the connection ${keeps ? "gets another answer on it" : "is told that it closes"} after the server ${answers}`, async (t) => {
      for (const { content, url, etag } of films) {
        const kept = request("1.0", question, url, etag, "Connection: keep-alive");
        const last = request("1.0", { ...questions[0]!, headers: () => [] }, films[0]!.url, etag);
        const [answer, next, ...others] = parse(await converse(t, keeps ? [kept, last] : [kept]), [method, "GET"]);
        assert.equal(others.length, 0);
        assert.equal(answer!.status, status);
        assert.ok(answer!.body.equals(body(content)));
        assert.equal(answer!.headers.connection, keeps ? "keep-alive" : "close");
        assert.equal(answer!.headers["transfer-encoding"], undefined);
        if (!keeps) continue;
        assert.deepEqual([next!.status, next!.body, next!.headers.connection], [200, small, "close"]);
      }
    });
  }
});

describe("requests of HTTP/1.1 that come in one write", () => {
  it("are answered in their order, each with its own length, and the connection is closed when the last one says so", async (t) => {
    const asked = [...questions, ...questions.toReversed()];
    const sent = films.flatMap(({ url, etag }) => asked.map((question) => request("1.1", question, url, etag)));
    const last = request("1.1", questions[0]!, films[0]!.url, films[0]!.etag, "Connection: close");
    const received = await converse(t, [[...sent, last].join("")]);
    const methods = films.flatMap(() => asked.map(({ method }) => method));
    const answers = parse(received, [...methods, "GET"]);
    const expected = films.flatMap(({ content }) => asked.map((question) => ({ ...question, content })));
    assert.equal(answers.length, expected.length + 1);
    for (const [index, { what, status, body, content }] of expected.entries()) {
      const answer = answers[index]!;
      assert.equal(answer.status, status, what);
      assert.ok(answer.body.equals(body(content)), what);
      assert.equal(answer.headers["transfer-encoding"], undefined);
    }
    assert.deepEqual([answers.at(-1)!.body, answers.at(-1)!.headers.connection], [small, "close"]);
    assert.deepEqual(unexpected(application.errors), []);
  });

  it("are answered where they ask for a row that is not there between files", async (t) => {
    const [{ url, etag, content }] = films.slice(1) as [(typeof films)[number]];
    const get = (path: string, ...more: string[]) => request("1.1", questions[0]!, path, etag, ...more);
    const missing = url.replace(/\/\d+\//, "/99/");
    const sent = [get(url), get(missing), get(url), get(missing, "Connection: close")].join("");
    const answers = parse(await converse(t, [sent]), ["GET", "GET", "GET", "GET"]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 404, 200, 404],
    );
    assert.ok(answers[0]!.body.equals(content) && answers[2]!.body.equals(content));
    assert.equal(answers[3]!.body.toString(), "Not Found");
  });

  it("get no other answer on the connection than those that they asked for when a HEAD comes with a body", async (t) => {
    const [{ url }] = films as [(typeof films)[number]];
    const withBody = `HEAD ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /`;
    const last = request("1.1", questions[0]!, url, "", "Connection: close");
    const answers = parse(await converse(t, [withBody + last]), ["HEAD", "GET"]);
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.length]),
      [
        [200, 0],
        [200, small.length],
      ],
    );
  });
});

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

function request(version: string, { method = "GET", headers }: Question, url: string, etag: string, ...more: string[]) {
  const host = version === "1.1" ? ["Host: x"] : [];
  const lines = [`${method} ${url} HTTP/${version}`, ...host, ...(headers?.(etag) ?? []), ...more];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Sends requests on one connection, and reads all that comes until the server closes it. */
async function converse(t: TestContext, requests: string[]): Promise<Buffer> {
  const socket = await openConnection(t, application.port);
  const received = readAll(socket);
  for (const text of requests) socket.write(text);
  return received;
}

/** Reads answers to these methods as RFC 9112 §6.3 says where they end; nothing may be left over. */
function parse(received: Buffer, methods: (string | undefined)[]): Answer[] {
  const answers: Answer[] = [];
  let rest = received;
  for (const method of methods) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) break;
    const [first, ...lines] = rest.subarray(0, end).toString("latin1").split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first!)?.[1]);
    const headers = Object.fromEntries(
      lines.map((line) => line.split(": ", 2)).map(([n, v]) => [n!.toLowerCase(), v!]),
    );
    const length = method === "HEAD" || status === 304 ? 0 : Number(headers["content-length"]);
    const body = rest.subarray(end + 4, end + 4 + length);
    assert.equal(body.length, length, "the body is as long as it was said");
    answers.push({ status, headers, body });
    rest = rest.subarray(end + 4 + length);
  }
  assert.equal(rest.length, 0, "nothing comes after the last answer");
  return answers;
}

/** What the application reported beside refusals. */
function unexpected(errors: Error[]): Error[] {
  return errors.filter((error) => ![403, 404, 405].includes((error as { status?: number }).status ?? 0));
}

async function store(content: Buffer): Promise<{ content: Buffer; url: string; etag: string }> {
  const film = new Film();
  await application.files.attach(film, "file", content, { filename: "a.mp4" });
  await application.dataSource.manager.save(film);
  const url = application.files.url(film, "file");
  return { content, url, etag: (await application.get(url, { method: "HEAD" })).headers.etag! };
}
