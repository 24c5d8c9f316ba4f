import assert from "node:assert/strict";
import { once } from "node:events";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openConnection } from "../fixture/connection.js";
import { eventually } from "../fixture/eventually.js";
import { filmOf } from "../fixture/film.js";
import { assertOpenFiles, skipOpenFiles as skip } from "../fixture/open-files.js";
import type { Subject } from "./subject.js";

/** Clients that close their connections early. */
export function describeLeavingClients({ withFilm, thorough }: Subject): void {
  const clients = thorough ? 4_000 : 400;
  const title = `leaves no descriptor behind when ${clients} leave: in the middle, before the headers, at a HEAD, and with a full socket`;
  it(title, { skip }, async (t) => {
    const { application, url } = await withFilm(t, { content: filmOf(2_000_000) });
    const leave = async (n: number) => {
      const socket = await openConnection(t, application.port);
      const method = n % 4 === 2 ? "HEAD" : "GET";
      socket.pause();
      socket.write(`${method} ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
      if (n % 4 === 0) await once(socket.resume(), "data");
      if (n % 4 === 3) await sleep(2);
      socket.destroy();
    };
    for (let n = 0; n < clients; n += 20) await Promise.all(Array.from({ length: 20 }, (_, k) => leave(n + k)));
    await eventually(() => assertOpenFiles(application.storage.root, 0));
    assert.equal((await application.get(url)).body.length, 2_000_000);
    const codes = new Set(application.errors.map((error) => (error as NodeJS.ErrnoException).code));
    for (const usual of ["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE"]) codes.delete(usual);
    assert.deepEqual([...codes], []);
  });

  it("holds no file when it waits behind another request on a connection that closes", { skip }, async (t) => {
    const { application, url } = await withFilm(t);
    const socket = await openConnection(t, application.port);
    socket.pause();
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(3));
    // The others wait for their turn.
    await eventually(() => assertOpenFiles(application.storage.root, 1));
    socket.destroy();
    await eventually(() => assertOpenFiles(application.storage.root, 0));
  });
}
