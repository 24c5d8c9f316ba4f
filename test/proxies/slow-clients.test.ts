import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { streamDelivery } from "typeorm-private-files";
import { openConnection, readAll } from "../../src/testing/fixture/connection.js";
import { addFilm } from "../../src/testing/fixture/film.js";
import { begin } from "../../src/testing/fixture/http-client.js";
import { assertOpenFiles, skipOpenFiles } from "../../src/testing/fixture/open-files.js";
import { type Application, startApplication } from "../support/application.js";
import { eventually } from "../support/eventually.js";
import { Film, filmOf } from "../support/film.js";
import { needs, takesLong } from "../support/requirements.js";
import { startLighttpd } from "../support/servers/lighttpd.js";
import { startNginx } from "../support/servers/nginx.js";
import type { Server } from "../support/servers/server.js";
import { after, before, describe, it, type TestContext } from "../support/suite.js";
import { SHOWN_SERVERS } from "./shown-servers.js";

// Times and sizes are a thirtieth of real ones: stallTimeout is 60 seconds by default, and nginx writes 1 GiB to its disk.

const LENGTH = 96 * 1024 * 1024;
const stallTimeout = 2;

describe("behind a server", { skip: takesLong }, () => {
  let application: Application;
  let url: string;
  before(async () => {
    application = await startApplication({
      entities: [Film],
      options: { delivery: streamDelivery({ stallTimeout }) },
    });
    ({ url } = await addFilm(application, { content: filmOf(LENGTH) }));
  });
  after(() => application?.close());

  describe("a client that takes a file slowly", { concurrency: true }, () => {
    for (const { name, program, start } of SHOWN_SERVERS) {
      const skip = needs(program);
      it(`gets all of it, however much longer than stallTimeout that takes: ${name}`, { skip }, async (t) => {
        assert.equal(await take(await started(t, start), { rate: 2_000_000, seconds: 10 }), LENGTH);
      });
    }

    const skip = needs("nginx");
    it("gets all of it where nginx may write 32 MiB to its disk: nginx is told not to", { skip }, async (t) => {
      const server = await started(t, (port) => startNginxWith(port, "proxy_max_temp_file_size 32m;"));
      assert.equal(await take(server, { rate: 6_000_000, seconds: 60 }), LENGTH);
    });

    it("gets all of it if nginx ignores that, and may write nothing to its disk", { skip }, async (t) => {
      const lines = "proxy_ignore_headers X-Accel-Buffering; proxy_max_temp_file_size 0;";
      const server = await started(t, (port) => startNginxWith(port, lines));
      assert.equal(await take(server, { rate: 6_000_000, seconds: 60 }), LENGTH);
    });

    it("is cut if nginx ignores that, and takes nothing until it has sent what is on its disk", { skip }, async (t) => {
      const lines = "proxy_ignore_headers X-Accel-Buffering; proxy_max_temp_file_size 32m;";
      const server = await started(t, (port) => startNginxWith(port, lines));
      const length = await take(server, { rate: 6_000_000, seconds: 60 });
      assert.ok(length < LENGTH, `${length}`);
    });
  });

  describe("a client that takes nothing", { skip: skipOpenFiles }, () => {
    for (const { name, program, start } of SHOWN_SERVERS) {
      it(`is cut, and its file let go of, once all buffers are full: ${name}`, { skip: needs(program) }, async (t) => {
        const server = await started(t, start);
        const socket = await openConnection(t, server.port);
        socket.pause();
        socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
        await eventually(() => assertOpenFiles(application.storage.root, 1));
        await eventually(() => assertOpenFiles(application.storage.root, 0));
        assert.ok((await readAll(socket)).length < LENGTH / 2);
      });
    }

    it("is not noticed behind lighttpd with its defaults, which takes the whole file", {
      skip: needs("lighttpd"),
    }, async (t) => {
      const server = await started(t, (port) =>
        startLighttpd(`proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => ${port} ) ) )`),
      );
      const incoming = await begin(server.port, url);
      await sleep(2 * stallTimeout * 1000);
      await assertOpenFiles(application.storage.root, 0);
      assert.equal((await readAll(incoming)).length, LENGTH);
    });
  });

  async function started(t: TestContext, start: (port: number) => Promise<Server>): Promise<Server> {
    const server = await start(application.port);
    t.after(() => server.stop());
    return server;
  }

  /** Takes the file at so many bytes a second, for so many seconds, and then the rest. Resolves to how many bytes came. */
  async function take({ port }: Server, { rate, seconds }: { rate: number; seconds: number }): Promise<number> {
    const incoming = await begin(port, url);
    const start = performance.now();
    let length = 0;
    try {
      for await (const chunk of incoming) {
        length += (chunk as Buffer).length;
        const early = (length / rate) * 1000 - (performance.now() - start);
        if (early > 0 && performance.now() - start < seconds * 1000) await sleep(early);
      }
    } catch {
      // The connection was cut.
    }
    return length;
  }
});

function startNginxWith(port: number, lines: string): Promise<Server> {
  return startNginx({ server: `location / { proxy_pass http://127.0.0.1:${port}; ${lines} }` });
}
