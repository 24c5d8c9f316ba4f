import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent } from "node:http";
import { begin } from "../../src/testing/fixture/http-client.js";
import { assertOpenFiles, skipOpenFiles } from "../../src/testing/fixture/open-files.js";
import { type Answer, type Ask, get } from "../support/application.js";
import { eventually } from "../support/eventually.js";
import { needs } from "../support/requirements.js";
import type { Server } from "../support/servers/server.js";
import { after, before, describe, it } from "../support/suite.js";
import type { ShownServer } from "./shown-servers.js";
import { type Owned, type Site, startSite } from "./site.js";

/** A way to put a server in front of the application. */
export interface Proxy {
  /** What is configured. */
  name: string;
  /** Starts the server for an application that listens on a port of loopback. */
  start(port: number): Promise<Server>;
  /** What the server adds to the front of addresses. (default: nothing) */
  at?: string;
  /** What the owner is answered in place of 200, by the text in the address that the server does not carry. */
  differences?: Record<string, number>;
}

/** Runs the same tests behind a server, configured as docs/deploy.md shows it, and in other ways. */
export function describeProxies({ name, program, start }: ShownServer, others: Proxy[]): void {
  describe(`behind ${name}`, { skip: needs(program) }, () => {
    let site: Site;
    before(async () => {
      site = await startSite();
    });
    after(() => site?.close());
    const proxies = [{ name: "as docs/deploy.md shows it", start }, ...others];
    for (const proxy of proxies) describe(proxy.name, () => describeProxy(proxy, () => site));
  });
}

function describeProxy({ start, at = "", differences = {} }: Proxy, site: () => Site): void {
  let server: Server;
  before(async () => {
    server = await start(site().port);
  });
  after(() => server?.stop());

  // A server may close a connection that is kept open just when the next request is sent.
  const agent = new Agent({ keepAlive: false });
  const ask = (url: string, more: Ask) => get(server.port, at + url, { ...more, agent });

  for (const [what, owned] of [
    ["file name", () => site().named],
    ["text that is a primary key", () => site().keyed],
  ] as const) {
    it(`gives each file to its owner, whatever its ${what}`, async () => {
      const answers = await answersTo(owned(), (url) => ask(url, { as: "alice" }));
      assert.deepEqual(answers.statuses, expectedStatuses(owned(), differences));
      assert.deepEqual(answers.otherBytes, []);
    });

    it(`answers 403 to everybody else, whatever the ${what}`, async () => {
      for (const as of ["bob", undefined]) {
        const { statuses } = await answersTo(owned(), (url) => ask(url, { as }));
        for (const [text, status] of Object.entries(statuses)) {
          if (status !== 403) assert.equal(status, differences[text], text);
        }
      }
    });
  }

  it("answers Range, HEAD and conditions as the application does", async () => {
    const { url } = site().scan;
    const whole = await site().get(url, { method: "HEAD", as: "alice" });
    for (const [more, status] of asksFor(whole)) {
      const direct = await site().get(url, { ...more, as: "alice" });
      const proxied = await ask(url, { ...more, as: "alice" });
      assert.equal(direct.status, status, JSON.stringify(more));
      assert.deepEqual(comparable(proxied), comparable(direct), JSON.stringify(more));
      assert.equal((await ask(url, { ...more, as: "bob" })).status, 403);
    }
  });

  it("lets go of the file when a client leaves in the middle", { skip: skipOpenFiles }, async () => {
    const incoming = await begin(server.port, at + site().film.url, { headers: { "x-user": "alice" } });
    await once(incoming, "data");
    incoming.destroy();
    await eventually(() => assertOpenFiles(site().storage.root, 0));
  });
}

function expectedStatuses(owned: Owned[], differences: Record<string, number>): Record<string, number> {
  return Object.fromEntries(owned.map(({ text }) => [text, differences[text] ?? 200]));
}

/** The statuses by the text in the address, and the texts of those who got other bytes than their file's with a 200. */
async function answersTo(owned: Owned[], ask: (url: string) => Promise<Answer>) {
  const answers = await Promise.all(owned.map(async (one) => ({ ...one, answer: await ask(one.url) })));
  const wrong = answers.filter(({ answer, content }) => answer.status === 200 && !answer.body.equals(content));
  return {
    statuses: Object.fromEntries(answers.map(({ text, answer }) => [text, answer.status])),
    otherBytes: wrong.map(({ text }) => text),
  };
}

/** What clients ask for a file in parts or again, with the status of the answer. */
function asksFor({ headers }: Answer): [Ask, number][] {
  const etag = headers.etag!;
  const date = headers["last-modified"]!;
  const length = Number(headers["content-length"]);
  return [
    [{}, 200],
    [{ method: "HEAD" }, 200],
    [{ headers: { Range: "bytes=1000000-2000000" } }, 206],
    [{ method: "HEAD", headers: { Range: "bytes=1000000-2000000" } }, 200],
    [{ headers: { Range: "bytes=-5" } }, 206],
    [{ headers: { Range: "bytes=0-9,1000-1009,-5" } }, 206],
    [{ headers: { Range: `bytes=${length}-` } }, 416],
    [{ headers: { Range: "bytes=2999990-", "If-Range": etag } }, 206],
    [{ headers: { Range: "bytes=2999990-", "If-Range": date } }, 206],
    [{ headers: { Range: "bytes=2999990-", "If-Range": '"another"' } }, 200],
    [{ headers: { "If-None-Match": etag } }, 304],
    [{ headers: { "If-None-Match": `"another", W/${etag}` } }, 304],
    [{ headers: { "If-Modified-Since": date } }, 304],
    [{ headers: { "If-Match": etag } }, 200],
    [{ headers: { "If-Match": '"another"' } }, 412],
  ];
}

/** Headers that speak of the connection or the server, and the one that is for nginx. */
const OWN_HEADERS = ["date", "server", "connection", "keep-alive", "x-accel-buffering"];

function comparable({ status, headers, body }: Answer) {
  const boundary = /boundary=(\S+)/.exec(headers["content-type"] ?? "")?.[1];
  const renamed = (text: string) => (boundary ? text.replaceAll(boundary, "boundary") : text);
  const relevant = Object.entries(headers).filter(([name]) => !OWN_HEADERS.includes(name));
  return {
    status,
    headers: Object.fromEntries(relevant.map(([name, value]) => [name, renamed(String(value))])),
    body: createHash("sha256")
      .update(renamed(body.toString("latin1")))
      .digest("hex"),
  };
}
