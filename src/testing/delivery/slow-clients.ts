import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openConnection, readAll } from "../fixture/connection.js";
import { eventually } from "../fixture/eventually.js";
import { filmOf } from "../fixture/film.js";
import { begin } from "../fixture/http-client.js";
import { assertOpenFiles, skipOpenFiles as skip } from "../fixture/open-files.js";
import type { Subject } from "./subject.js";

const LENGTH = 30_000_000;

/** Clients that take nothing, or little at a time. */
export function describeSlowClients({ withFilm, thorough }: Subject): void {
  for (const [what, range] of [
    ["nothing", ""],
    ["nothing of a range", "Range: bytes=1-\r\n"],
  ]) {
    it(`takes ${what}: it is cut after stallTimeout, and its file let go of`, { skip }, async (t) => {
      const { application, url } = await withFilm(t, { content: filmOf(LENGTH), stallTimeout: 1 });
      const socket = await openConnection(t, application.port);
      socket.pause();
      socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n${range}\r\n`);
      await eventually(() => assertOpenFiles(application.storage.root, 1));
      const start = Date.now();
      await eventually(() => assertOpenFiles(application.storage.root, 0));
      assert.ok(Date.now() - start > 200);
      assert.ok((await readAll(socket)).length < LENGTH);
    });
  }

  const [stallTimeout, seconds] = thorough ? [2.5, 6] : [1, 2.2];
  it("takes little at a time, but takes it: it gets all, however much longer than stallTimeout that is", async (t) => {
    const { application, url } = await withFilm(t, { content: filmOf(LENGTH), stallTimeout });
    const start = Date.now();
    const incoming = await begin(application.port, url);
    let length = 0;
    for await (const chunk of incoming) {
      length += (chunk as Buffer).length;
      if (Date.now() - start < seconds * 1000) await sleep(15);
    }
    assert.equal(length, LENGTH);
    assert.ok(Date.now() - start > 2 * stallTimeout * 1000);
  });
}
