import assert from "node:assert/strict";
import { byNginx } from "../../docs/examples/deploy/by-nginx.js";
import { type Answer, type Ask, get } from "../support/application.js";
import { needs } from "../support/requirements.js";
import { startNginx } from "../support/servers/nginx.js";
import type { Server } from "../support/servers/server.js";
import { after, before, describe, it } from "../support/suite.js";
import { shownConfiguration } from "./shown-servers.js";
import { type Site, startSite } from "./site.js";

/** What the application says of a file beside its bytes, and a browser must hear. */
const KEPT = [
  "etag",
  "last-modified",
  "content-type",
  "content-disposition",
  "cache-control",
  "x-content-type-options",
  "content-security-policy",
  "cross-origin-resource-policy",
  "referrer-policy",
];

describe("nginx that sends the files, as docs/deploy.md shows it", { skip: needs("nginx") }, () => {
  let site: Site;
  let server: Server;
  before(async () => {
    site = await startSite({ delivery: byNginx });
    const shown = shownConfiguration("nginx", site.port, "internal;");
    assert.ok(shown.includes("alias /srv/app/private/;"));
    server = await startNginx({ server: shown.replace("/srv/app/private", site.storage.root) });
  });
  after(async () => {
    await server?.stop();
    await site?.close();
  });

  const ask = (more: Ask, { url } = site.scan) => get(server.port, url, more);

  it("gives each file to its owner, whatever its name and its row's primary key, and 403 to everybody else", async () => {
    for (const owned of [...site.named, ...site.keyed, site.film]) {
      const { status, body } = await ask({ as: "alice" }, owned);
      assert.deepEqual([owned.text, status], [owned.text, 200]);
      assert.ok(body.equals(owned.content), owned.text);
      for (const as of ["bob", undefined]) assert.equal((await ask({ as }, owned)).status, 403, owned.text);
    }
  });

  it("keeps the headers of the application: its ETag, and those that protect browsers", async () => {
    const direct = await site.get(site.scan.url, { as: "alice" });
    assert.ok(direct.headers["x-accel-redirect"]);
    const sent = await ask({ as: "alice" });
    for (const name of KEPT) {
      assert.ok(direct.headers[name], name);
      assert.equal(sent.headers[name], direct.headers[name], name);
    }
    assert.equal(sent.headers["x-accel-redirect"], undefined);
    assert.equal(sent.headers["accept-ranges"], "bytes");
  });

  it("sends a range, several and the last bytes as 206, and 416 for one behind the end", async () => {
    const { content } = site.scan;
    const parts: [string, Buffer][] = [
      ["bytes=1000-1999999", content.subarray(1000, 2_000_000)],
      ["bytes=-5", content.subarray(-5)],
    ];
    for (const [range, bytes] of parts) {
      const { status, headers, body } = await ask({ as: "alice", headers: { Range: range } });
      assert.equal(status, 206);
      assert.ok(body.equals(bytes));
      assertProtected(headers);
    }
    const several = await ask({ as: "alice", headers: { Range: "bytes=0-9,-5" } });
    assert.equal(several.status, 206);
    assert.match(several.headers["content-type"]!, /^multipart\/byteranges/);
    const behind = await ask({ as: "alice", headers: { Range: "bytes=3000000-" } });
    assert.deepEqual([behind.status, behind.headers["content-range"]], [416, "bytes */3000000"]);
    assertProtected(behind.headers);
  });

  it("answers 304 and 412 by the tag and the date of the application", async () => {
    const { headers } = await ask({ as: "alice" });
    const conditions: [Ask["headers"], number][] = [
      [{ "If-None-Match": headers.etag }, 304],
      [{ "If-None-Match": '"another"' }, 200],
      [{ "If-Modified-Since": headers["last-modified"] }, 304],
      [{ "If-Match": '"another"' }, 412],
      [{ Range: "bytes=5-9", "If-Range": headers.etag }, 206],
      [{ Range: "bytes=5-9", "If-Range": '"another"' }, 200],
      [{ Range: "bytes=5-9", "If-Range": headers["last-modified"] }, 206],
    ];
    for (const [condition, status] of conditions) {
      assert.deepEqual([condition, (await ask({ as: "alice", headers: condition })).status], [condition, status]);
    }
  });

  it("answers 412 to If-Match with the right tag, which nginx does not know: that can't be helped", async () => {
    const { etag } = (await ask({ as: "alice" })).headers;
    const direct = await site.get(site.scan.url, { as: "alice", headers: { "If-Match": etag } });
    assert.equal(direct.status, 200);
    // nginx closes the connection after that, and says that it doesn't.
    assert.equal((await ask({ as: "alice", headers: { "If-Match": etag, Connection: "close" } })).status, 412);
  });

  it("says in a HEAD that there are no ranges: the application answers that, and sends none itself", async () => {
    const { status, headers } = await ask({ method: "HEAD", as: "alice" });
    assert.deepEqual([status, headers["content-length"], headers["accept-ranges"]], [200, "3000000", "none"]);
  });

  it("is told of no file by a refusal, whatever the request says", async () => {
    const { etag } = (await ask({ as: "alice" })).headers;
    for (const headers of [
      {},
      { Range: "bytes=0-9" },
      { "If-None-Match": etag },
      { "X-Accel-Redirect": "/protected/" },
    ]) {
      for (const as of ["bob", undefined]) {
        const direct = await site.get(site.scan.url, { as, headers });
        assert.deepEqual([direct.status, direct.headers["x-accel-redirect"]], [403, undefined]);
        const { status, body } = await ask({ as, headers });
        assert.deepEqual([status, body.toString()], [403, "Forbidden"]);
      }
    }
  });

  it("answers 404 to everybody who asks for the folder itself", async () => {
    for (const path of [
      "/protected/",
      "/protected/letters/report.pdf",
      "/protected/letters/scan.tiff",
      "/%70rotected/letters/scan.tiff",
    ]) {
      assert.equal((await get(server.port, path, { as: "alice" })).status, 404, path);
    }
  });
});

function assertProtected(headers: Answer["headers"]): void {
  for (const name of KEPT.slice(-4)) assert.ok(headers[name], name);
}
