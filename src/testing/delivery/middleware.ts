import assert from "node:assert/strict";
import { PassThrough, type Readable } from "node:stream";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type Koa from "koa";
import { eventually } from "../fixture/eventually.js";
import { content } from "../fixture/film.js";
import { assertOpenFiles, skipOpenFiles as skip } from "../fixture/open-files.js";
import type { Subject } from "./subject.js";

/** Middleware that runs after the delivery, and before Koa sends the body. */
export function describeMiddleware({ withFilm }: Subject): void {
  it("sets headers and cookies afterwards, as for any body of Koa", async (t) => {
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        await next();
        await sleep(20);
        ctx.set("X-Response-Time", "20ms");
        ctx.cookies.set("visits", "2");
      });
    const { application, url } = await withFilm(t, { before });
    for (const headers of [{}, { Range: "bytes=0-9" }]) {
      const answer = await application.get(url, { headers });
      assert.equal(answer.headers["x-response-time"], "20ms");
      assert.match(String(answer.headers["set-cookie"]), /^visits=2/);
    }
    assert.deepEqual(application.errors, []);
  });

  it("may take longer than stallTimeout before the answer begins", async (t) => {
    const before = (app: Koa) =>
      app.use(async (_ctx, next) => {
        await next();
        await sleep(1500);
      });
    const { application, url } = await withFilm(t, { before, stallTimeout: 1 });
    assert.ok((await application.get(url)).body.equals(content));
  });

  it("finds room for its listeners: Node warns of more than ten", async (t) => {
    const counts: number[] = [];
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        const write = ctx.res.write.bind(ctx.res);
        ctx.res.write = (...all: unknown[]) => {
          setImmediate(() => counts.push(ctx.res.listenerCount("close")));
          return write(...(all as [Buffer]));
        };
        await next();
      });
    const { application, url } = await withFilm(t, { before });
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    t.after(() => process.off("warning", note));
    await application.get(url);
    assert.ok(counts.length > 10 && Math.max(...counts) <= 8, `there were ${Math.max(...counts)} listeners`);
    assert.deepEqual(warnings, []);
  });

  it("may pipe the body through a stream that changes it", async (t) => {
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        await next();
        ctx.remove("Content-Length");
        ctx.body = (ctx.body as Readable).pipe(new PassThrough());
      });
    const { application, url } = await withFilm(t, { before });
    assert.ok((await application.get(url)).body.equals(content));
  });

  it("may read the body as any stream", async (t) => {
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        await next();
        const chunks: Buffer[] = [];
        for await (const chunk of ctx.body as Readable) chunks.push(chunk as Buffer);
        ctx.body = Buffer.concat(chunks);
      });
    const { application, url } = await withFilm(t, { before });
    assert.ok((await application.get(url)).body.equals(content));
  });

  it("may throw the body away without leaving a descriptor behind", { skip }, async (t) => {
    const before = (app: Koa) =>
      app.use(async (ctx, next) => {
        await next();
        ctx.status = 200;
        ctx.body = "another body";
      });
    const { application, url } = await withFilm(t, { before });
    for (let n = 0; n < 50; n++) assert.equal((await application.get(url)).body.toString(), "another body");
    await eventually(() => assertOpenFiles(application.storage.root, 0));
  });
}
