import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import Router from "@koa/router";
import Koa from "koa";
import mount from "koa-mount";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, PrivateFiles, type PrivateFilesOptions } from "typeorm-private-files";
import { get } from "../../support/application.js";
import { sqljs } from "../../support/databases.js";
import { MemoryStorage } from "../../support/memory-storage.js";
import { inProduction, warningsWhile } from "../../support/warnings.js";

@Entity()
class Paper {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Paper>({ condition: () => true }) file!: PrivateFile;
}

/** The files of a data source of its own, with one row whose file has the given content. */
async function filesWith(t: TestContext, content: string, options?: PrivateFilesOptions) {
  const { dataSource, close } = await sqljs.open({ entities: [Paper] });
  t.after(close);
  const files = new PrivateFiles(dataSource, { storage: new MemoryStorage(), ...options });
  const paper = dataSource.manager.create(Paper, {});
  await files.attach(paper, "file", Buffer.from(content), { filename: "paper.txt" });
  await dataSource.manager.save(paper);
  return { files, url: files.url(paper, "file") };
}

async function serve(t: TestContext, app: Koa) {
  const errors: Error[] = [];
  app.on("error", (error: Error) => errors.push(error));
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { errors, get: (path: string) => get(port, path) };
}

describe("routes that are mounted below a path", () => {
  const mounted: [string, (files: PrivateFiles) => Koa.Middleware][] = [
    ["by koa-mount", (files) => mount("/media", files.routes() as Koa.Middleware)],
    [
      "by koa-mount in an application of their own",
      (files) => mount("/media", new Koa().use(files.routes() as Koa.Middleware)),
    ],
    ["by a router", (files) => new Router().use("/media", files.router.routes()).routes() as Koa.Middleware],
    [
      "by a router, from their middleware",
      (files) => new Router().use("/media", files.routes() as never).routes() as Koa.Middleware,
    ],
  ];
  for (const [how, middleware] of mounted) {
    it(`${how}: get one warning at the first request where links do not lead to them`, async (t) => {
      const { files, url } = await filesWith(t, "paper");
      const { get } = await serve(t, new Koa().use(middleware(files)));
      const warnings = await warningsWhile(async () => {
        assert.equal((await get(url)).status, 404);
        for (let count = 0; count < 2; count++) assert.equal((await get(`/media${url}?a=/b`)).status, 200);
      });
      const message =
        'PrivateFiles: the routes are at "/media/private-files", but links begin with "/private-files". Set baseUrl: "/media".';
      assert.deepEqual(warnings, [{ code: "PRIVATE_FILE_MOUNT_POINT", message }]);
    });

    it(`${how}: get none where the base URL names it, behind a proxy too, and none in production`, async (t) => {
      for (const [baseUrl, production] of [
        ["/media", false],
        ["https://files.example.com/media/", false],
        ["https://example.com/site/media", false],
        [undefined, true],
      ] as const) {
        const { files } = await filesWith(t, "paper", { baseUrl });
        const { get } = await serve(t, new Koa().use(middleware(files)));
        const ask = () => warningsWhile(() => get("/media/private-files/paper/file/1/paper.txt"));
        assert.deepEqual(await (production ? inProduction(ask) : ask()), []);
      }
    });
  }

  it("get the warning at any first request, such as one for another page below the path", async (t) => {
    const { files } = await filesWith(t, "paper", { baseUrl: "https://files.example.com" });
    const { get } = await serve(t, new Koa().use(mount("/media", files.routes() as Koa.Middleware)));
    const [warning] = await warningsWhile(() => get("/media/index.html"));
    assert.match(
      warning!.message,
      /links begin with "https:\/\/files\.example\.com\/private-files"\. Set baseUrl: "https:\/\/files\.example\.com\/media"\.$/,
    );
  });

  it("get none where they are not mounted, though a proxy in front takes away a path, whatever a request says", async (t) => {
    const { files, url } = await filesWith(t, "paper", { baseUrl: "https://example.com/site" });
    const { get } = await serve(t, new Koa().use(files.routes()));
    const warnings = await warningsWhile(async () => {
      for (const path of ["//", "//a", "/?//", new URL(url).pathname]) await get(path);
    });
    assert.deepEqual(warnings, []);
  });
});

describe("routes of two PrivateFiles in one application", () => {
  const prefixes: [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ["/files", "/files"],
    ["/files", "/files/archive"],
    ["/", "/files"],
  ];
  for (const [first, second] of prefixes) {
    it(`fail with a reason, and answer no file, where the first takes the requests of the second: ${first} and ${second}`, async (t) => {
      const one = await filesWith(t, "of the first", { prefix: first });
      const other = await filesWith(t, "of the second", { prefix: second });
      const app = new Koa().use(one.files.routes()).use(other.files.routes());
      const { get, errors } = await serve(t, app);
      for (const url of [other.url, one.url]) {
        const { status, body } = await get(url);
        assert.deepEqual([status, body.toString()], [500, "Internal Server Error"]);
      }
      const reason =
        first === second
          ? /^ConfigurationError: PrivateFiles: two of them have routes at ".*" in one application, .* Give each a "prefix" of its own\.$/
          : /^ConfigurationError: PrivateFiles: the routes at "\/.*" come before those at "\/.+" in one application, .* Use the others first\.$/;
      assert.match(String(errors[0]), reason);
    });
  }

  it("answer the files of each where the prefixes differ", async (t) => {
    for (const [first, second] of [
      ["/one", "/other"],
      ["/files/archive", "/files"],
      ["/files", "/files-of-others"],
    ] as const) {
      const one = await filesWith(t, "of the first", { prefix: first });
      const other = await filesWith(t, "of the second", { prefix: second });
      const { get } = await serve(t, new Koa().use(one.files.routes()).use(other.files.routes()));
      const bodies = [await get(one.url), await get(other.url)].map(({ body }) => body.toString());
      assert.deepEqual(bodies, ["of the first", "of the second"]);
    }
  });

  it("answer the files of each where each is mounted at a path of its own, or they are in two applications", async (t) => {
    const one = await filesWith(t, "of the first", { baseUrl: "/one" });
    const other = await filesWith(t, "of the second", { baseUrl: "/other" });
    const app = new Koa();
    app.use(mount("/one", one.files.routes() as Koa.Middleware));
    app.use(mount("/other", other.files.routes() as Koa.Middleware));
    const { get } = await serve(t, app);
    assert.deepEqual((await get(one.url)).body.toString(), "of the first");
    assert.deepEqual((await get(other.url)).body.toString(), "of the second");
    const apart = await serve(t, new Koa().use(other.files.routes()));
    assert.deepEqual((await apart.get(other.url.replace("/other", ""))).body.toString(), "of the second");
  });

  for (const [how, nested] of [
    ["by koa-mount", (files) => mount("/one", files.routes() as Koa.Middleware)],
    ["by a router", (files) => new Router().use("/one", files.router.routes()).routes() as Koa.Middleware],
  ] as [string, (files: PrivateFiles) => Koa.Middleware][]) {
    it(`answer the files of each where only the first is mounted at a path of its own, ${how}`, async (t) => {
      const one = await filesWith(t, "of the first", { baseUrl: "/one" });
      const other = await filesWith(t, "of the second");
      const { get } = await serve(t, new Koa().use(nested(one.files)).use(other.files.routes()));
      const bodies = [await get(one.url), await get(other.url)].map(({ body }) => body.toString());
      assert.deepEqual(bodies, ["of the first", "of the second"]);
    });
  }

  it("answer files where one PrivateFiles is there twice", async (t) => {
    const { files, url } = await filesWith(t, "paper");
    const { get } = await serve(t, new Koa().use(files.routes()).use(files.routes()));
    assert.deepEqual((await get(url)).body.toString(), "paper");
  });
});
