import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { type Answer, type Ask, get, startApplication } from "../support/application.js";
import { Film } from "../support/film.js";
import { needs } from "../support/requirements.js";
import { startApache } from "../support/servers/apache.js";
import { startCaddy } from "../support/servers/caddy.js";
import { startHaproxy } from "../support/servers/haproxy.js";
import { startNginx } from "../support/servers/nginx.js";
import type { Server } from "../support/servers/server.js";
import { describe, it, type TestContext } from "../support/suite.js";
import { shownConfiguration } from "./shown-servers.js";

const text = Buffer.from(Array.from({ length: 20_000 }, (_, line) => `line ${line}`).join("\n"));
const DEFLATE = `
LoadModule filter_module modules/mod_filter.so
LoadModule deflate_module modules/mod_deflate.so
SetOutputFilter DEFLATE`;
const gzip = { "Accept-Encoding": "gzip" };

/** A server that compresses what a client takes compressed. */
interface Compressing {
  name: string;
  program: string;
  start(port: number): Promise<Server>;
  /** The tag of the compressed file. */
  tag(etag: string): string;
  /** The status for a client that has the compressed file. */
  again: number;
}

const COMPRESSING: Compressing[] = [
  {
    name: "nginx",
    program: "nginx",
    start: (port) =>
      startNginx({ http: "gzip on; gzip_types *; gzip_proxied any;", server: shownConfiguration("nginx", port) }),
    tag: (etag) => `W/${etag}`,
    again: 304,
  },
  {
    name: "Apache",
    program: "apache2",
    start: (port) => startApache(`${DEFLATE}\n${shownConfiguration("apache", port)}`),
    tag: (etag) => etag.replace(/"$/, '-gzip"'),
    again: 200,
  },
  {
    name: "HAProxy",
    program: "haproxy",
    start: (port) =>
      startHaproxy(shownConfiguration("haproxy", port).replace(/^ *server /m, "compression algo gzip\n$&")),
    tag: (etag) => `W/${etag}`,
    again: 304,
  },
];

for (const { name, program, start, tag, again } of COMPRESSING) {
  describe(`${name} that compresses`, { skip: needs(program) }, () => {
    it(`sends the same bytes, with another tag, and answers ${again} to who has that`, async (t) => {
      const { direct, ask } = await withServer(t, start);
      const whole = await ask({ headers: gzip });
      assert.deepEqual([whole.status, whole.headers["content-encoding"]], [200, "gzip"]);
      assert.ok(gunzipSync(whole.body).equals(text));
      assert.equal(whole.headers.etag, tag(direct.headers.etag!));
      assert.equal((await ask({ headers: { ...gzip, "If-None-Match": whole.headers.etag } })).status, again);
    });

    it("compresses no part, and sends none to who has the compressed file", async (t) => {
      const { direct, ask } = await withServer(t, start);
      const range = { ...gzip, Range: "bytes=7-199999" };
      const part = await ask({ headers: { ...range, "If-Range": direct.headers.etag } });
      assert.deepEqual([part.status, part.headers["content-encoding"]], [206, undefined]);
      assert.ok(part.body.equals(text.subarray(7, 200_000)));
      const whole = await ask({ headers: { ...range, "If-Range": tag(direct.headers.etag!) } });
      assert.deepEqual([whole.status, whole.headers["content-encoding"]], [200, "gzip"]);
      assert.ok(gunzipSync(whole.body).equals(text));
    });
  });
}

describe("Caddy that compresses", { skip: needs("caddy") }, () => {
  const range = { headers: { ...gzip, Range: "bytes=7-199999" } };

  it("compresses parts, which is wrong: their place in the file is that of the bytes before", async (t) => {
    const start = (port: number) => startCaddy(`encode gzip\n${shownConfiguration("caddyfile", port)}`);
    const { direct, ask } = await withServer(t, start);
    const { status, headers, body } = await ask(range);
    assert.deepEqual(
      [status, headers["content-encoding"], headers["content-range"], headers.etag],
      [206, "gzip", `bytes 7-199999/${text.length}`, direct.headers.etag],
    );
    assert.ok(gunzipSync(body).equals(text.subarray(7, 200_000)));
    const again = { headers: { ...gzip, "If-None-Match": headers.etag } };
    assert.equal((await ask(again)).status, 304);
  });

  it("leaves files alone where docs/deploy.md has them left out", async (t) => {
    const { ask } = await withServer(t, (port) => startCaddy(shownConfiguration("caddyfile", port, "encode")));
    for (const [asked, expected] of [
      [{ headers: gzip }, text],
      [range, text.subarray(7, 200_000)],
    ] as const) {
      const { headers, body } = await ask(asked);
      assert.equal(headers["content-encoding"], undefined);
      assert.ok(body.equals(expected));
    }
  });
});

/** What an application answers for a text, and a way to ask a server in front of it. */
async function withServer(
  t: TestContext,
  start: (port: number) => Promise<Server>,
): Promise<{ direct: Answer; ask(ask: Ask): Promise<Answer> }> {
  const application = await startApplication({ entities: [Film] });
  t.after(() => application.close());
  const film = application.dataSource.manager.create(Film, {});
  await application.files.attach(film, "file", text, { filename: "lines.txt" });
  await application.dataSource.manager.save(film);
  const url = application.files.url(film, "file");
  const server = await start(application.port);
  t.after(() => server.stop());
  return { direct: await application.get(url), ask: (ask) => get(server.port, url, ask) };
}
