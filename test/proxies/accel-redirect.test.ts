import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Delivery } from "typeorm-private-files";
import { get } from "../support/application.js";
import { filmOf, withFilm } from "../support/film.js";
import { fencesOf } from "../support/markdown.js";
import { needs } from "../support/requirements.js";
import { startNginx } from "../support/servers/nginx.js";
import { describe, it, type TestContext } from "../support/suite.js";

const CONTENT = filmOf(300_000);

/** The one of docs/downloads.md. */
const byAnotherServer: Delivery = {
  ranges: false,
  async deliver({ ctx, key }) {
    ctx.remove("Accept-Ranges");
    ctx.set("X-Accel-Redirect", `/protected/${key.split("/").map(encodeURIComponent).join("/")}`);
    ctx.body = "";
  },
};

describe("a file that nginx sends as docs/downloads.md shows it", { skip: needs("nginx") }, () => {
  it("has the bytes, the tag and the headers that it has without nginx", async (t) => {
    const { ask, direct } = await start(t);
    const { status, headers, body } = await ask({});
    assert.equal(status, 200);
    assert.ok(body.equals(CONTENT));
    for (const name of KEPT) assert.equal(headers[name], direct.headers[name], name);
    assert.equal(headers["x-accel-redirect"], undefined);
  });

  it("is sent in parts by nginx, and answered 304 by its tag", async (t) => {
    const { ask, direct } = await start(t);
    const etag = direct.headers.etag!;
    const part = await ask({ Range: "bytes=100-199", "If-Range": etag });
    assert.deepEqual([part.status, part.body.equals(CONTENT.subarray(100, 200))], [206, true]);
    assert.equal((await ask({ "If-None-Match": etag })).status, 304);
  });

  it("can't be reached by the address that nginx is told", async (t) => {
    const { port, key } = await start(t);
    assert.equal((await get(port, `/protected/${key}`)).status, 404);
  });
});

const KEPT = [
  ...["etag", "content-type", "content-disposition", "cache-control", "x-content-type-options"],
  ...["content-security-policy", "cross-origin-resource-policy", "referrer-policy"],
];

async function start(t: TestContext) {
  const { application, film, url } = await withFilm(t, { content: CONTENT, options: { delivery: byAnotherServer } });
  const page = readFileSync(resolve(import.meta.dirname, "../../../docs/downloads.md"), "utf8");
  const { code } = fencesOf(page).find(({ info, code }) => info === "nginx" && code.includes("internal;"))!;
  const server = `${code.replace("/var/private/", `${application.storage.root}/`)}
    location / { proxy_pass http://127.0.0.1:${application.port}; }`;
  const nginx = await startNginx({ server });
  t.after(() => nginx.stop());
  return {
    port: nginx.port,
    key: film.file!.key,
    direct: await application.get(url),
    ask: (headers: Record<string, string>) => get(nginx.port, url, { headers }),
  };
}
