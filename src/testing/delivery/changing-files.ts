import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { it } from "node:test";
import { openConnection, readAll } from "../fixture/connection.js";
import { eventually } from "../fixture/eventually.js";
import { content } from "../fixture/film.js";
import { begin } from "../fixture/http-client.js";
import type { Subject } from "./subject.js";

/** Files that change while they are sent. */
export function describeChangingFiles({ withFilm, thorough }: Subject): void {
  it("grows: exactly the promised bytes go out, and the next answer on the connection is whole", async (t) => {
    const { application, url, path } = await withFilm(t);
    const socket = await openConnection(t, application.port);
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, "readable");
    await appendFile(path, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHACKED");
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\nConnection: close\r\n\r\n`);
    const received = await readAll(socket);
    const bodyStart = received.indexOf("\r\n\r\n") + 4;
    assert.ok(received.subarray(bodyStart, bodyStart + content.length).equals(content));
    const second = received.subarray(bodyStart + content.length).toString("latin1");
    assert.match(second, /^HTTP\/1\.1 206 Partial Content\r\n/);
    assert.ok(!received.includes("HACKED"));
  });

  it("shrinks: the connection is cut before another answer goes out on it, and the application is told", async (t) => {
    const { application, url, path } = await withFilm(t);
    const socket = await openConnection(t, application.port);
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\nGET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, "readable");
    await truncate(path, 5_000_000);
    const received = await readAll(socket);
    const bodyStart = received.indexOf("\r\n\r\n") + 4;
    assert.ok(received.length - bodyStart < content.length);
    assert.ok(!received.subarray(bodyStart).includes("HTTP/1.1"));
    await eventually(async () => assert.match(String(application.errors), /became shorter|bytes early/));
  });

  it("is deleted: all of it goes out, and the answer to the next request is 404", async (t) => {
    const { application, url, path } = await withFilm(t);
    const incoming = await begin(application.port, url);
    await rm(path);
    assert.ok((await readAll(incoming)).equals(content));
    assert.equal((await application.get(url)).status, 404);
  });

  const answers = thorough ? 2_000 : 200;
  it(`is replaced all the time: each of ${answers} answers is the old file or the new one, whole`, async (t) => {
    const versions = Array.from({ length: 9 }, (_, n) => Buffer.alloc(100_000 + n * 10_000, `${n}`));
    const { application, url, path } = await withFilm(t, { content: versions[0] });
    let replaced = 0;
    let answered = false;
    const replacing = (async () => {
      while (!answered) {
        await writeFile(`${path}.new`, versions[++replaced % 9]!);
        await rename(`${path}.new`, path);
      }
    })();
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const ask = async () => {
      const incoming = await begin(application.port, url, { agent });
      const body = await readAll(incoming);
      assert.equal(incoming.statusCode, 200);
      assert.equal(body.length, Number(incoming.headers["content-length"]));
      assert.ok(
        versions.some((version) => version.equals(body)),
        `${body.length} bytes of a mixture`,
      );
    };
    try {
      for (let n = 0; n < answers; n += 4) await Promise.all([ask(), ask(), ask(), ask()]);
    } finally {
      answered = true;
      agent.destroy();
      await replacing;
    }
    assert.ok(replaced > answers / 20, `it was replaced ${replaced} times`);
  });
}
