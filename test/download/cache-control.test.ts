import assert from "node:assert/strict";
import { beforeEach, describe, it, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type Koa from "koa";
import type { Middleware } from "koa";
import helmet from "koa-helmet";
import { Column, Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  ConfigurationError,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  privateFileColumn,
} from "typeorm-private-files";
import { assertOpenFiles, skipOpenFiles as skip } from "../../src/testing/fixture/open-files.js";
import { type Ask, startApplication } from "../support/application.js";

let cacheControl: (article: Article) => unknown;
let announced: number;

@Entity()
class Article {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: false }) isPublished!: boolean;
  @PrivateFileColumn<Article>({
    condition: (ctx, article) => article.isPublished || ctx.state.user !== undefined,
    cacheControl: (article) => cacheControl(article) as string,
  })
  file!: PrivateFile;
}

@EventSubscriber()
class Counter implements PrivateFileSubscriber<Article> {
  listenTo() {
    return Article;
  }
  beforeDownload() {
    announced++;
  }
}

beforeEach(() => {
  announced = 0;
  cacheControl = ({ isPublished }) => (isPublished ? "public, max-age=600" : "private, no-store");
});

const content = Buffer.alloc(500_000, "an article. ");

describe("a cacheControl that is a function", () => {
  it("is called with the row, for each answer that has or stands for the file", async (t) => {
    const { application, url, article } = await withArticle(t);
    const { etag } = (await application.get(url, { as: "alice" })).headers;
    const asks: [Ask, number][] = [
      [{}, 200],
      [{ method: "HEAD" }, 200],
      [{ headers: { Range: "bytes=0-9" } }, 206],
      [{ headers: { "If-None-Match": etag } }, 304],
    ];
    for (const [isPublished, expected] of [
      [false, "private, no-store"],
      [true, "public, max-age=600"],
      [false, "private, no-store"],
    ] as const) {
      await application.dataSource.manager.update(Article, { id: article.id }, { isPublished });
      for (const [ask, status] of asks) {
        const { status: actual, headers } = await application.get(url, { ...ask, as: "alice" });
        assert.deepEqual([actual, headers["cache-control"]], [status, expected]);
      }
    }
  });

  it("has no say in a refusal, 412 or 416: no cache keeps those", async (t) => {
    const { application, url } = await withArticle(t);
    cacheControl = () => "public, max-age=600";
    for (const [ask, status] of [
      [{}, 403],
      [{ as: "alice", headers: { "If-Match": '"x"' } }, 412],
      [{ as: "alice", headers: { Range: "bytes=9999999-" } }, 416],
    ] as const) {
      const { status: actual, headers } = await application.get(url, ask);
      assert.deepEqual([actual, headers["cache-control"]], [status, "private, no-store"]);
    }
  });

  const failures: [string, () => unknown][] = [
    ["throws", fails],
    ["throws undefined", () => raise(undefined)],
    ["throws an error with a status", () => raise(Object.assign(new Error("secret"), { status: 404, expose: true }))],
    ["returns undefined", () => undefined],
    ["returns null", () => null],
    ["returns a number", () => 600],
    ["returns an empty text", () => ""],
    ["returns a blank text", () => " \t"],
    ["returns a text with a line break", () => "public\r\nX-Evil: 1"],
    ["returns a text that no header can hold", () => "öffentlich 日"],
    ["returns an object", () => ({ toString: () => "public" })],
    ["returns a text object", () => new String("public")],
    ["returns a promise", async () => "public"],
    ["returns a promise that rejects", async () => fails()],
    // biome-ignore lint/suspicious/noThenProperty: it is what makes a thenable.
    ["returns a thenable whose then throws", () => Object.defineProperty({}, "then", { get: fails })],
  ];
  for (const [what, returned] of failures) {
    it(`fails the request, sends no byte and calls no hook when it ${what}`, async (t) => {
      const { application, url } = await withArticle(t);
      cacheControl = returned;
      for (const ask of [
        {},
        { method: "HEAD" },
        { headers: { Range: "bytes=0-9" } },
        { headers: { "If-None-Match": "*" } },
      ]) {
        const { status, headers, body } = await application.get(url, { ...ask, as: "alice" });
        assert.deepEqual([status, body.includes("article"), body.includes("secret")], [500, false, false]);
        assert.equal(headers["cache-control"], "private, no-store");
        for (const name of ["etag", "last-modified", "content-disposition", "x-evil"])
          assert.equal(headers[name], undefined);
      }
      await turn();
      assert.equal(announced, 0);
      assert.equal(application.errors.length, 4);
      for (const error of application.errors) assert.match(error.message, /^Article\.file: describing the file failed/);
    });
  }

  it("leaves no file open when it fails", { skip }, async (t) => {
    const { application, url } = await withArticle(t);
    cacheControl = fails;
    for (let i = 0; i < 20; i++) await application.get(url, { as: "alice" });
    await assertOpenFiles(application.storage.root, 0);
  });

  it("says in the log what it returned, and what to return", async (t) => {
    const { application, url } = await withArticle(t);
    cacheControl = () => "public\u2028";
    await application.get(url, { as: "alice" });
    const [{ cause }] = application.errors as [Error & { cause: Error & { code: string } }];
    assert.equal(cause.code, "ERR_PRIVATE_FILE_FAILED");
    assert.match(
      cause.message,
      /^Article\.file: "cacheControl" must return a text such as "private, no-store", got "public\\u\{2028\}"\. It is not awaited\.$/,
    );
  });

  for (const value of [5, true, null, {}, "", " ", "public\n", "public\0", "日"]) {
    it(`or a text that a header can hold is all that a column takes: ${JSON.stringify(value)} is refused`, () => {
      for (const declare of [PrivateFileColumn, privateFileColumn]) {
        assert.throws(
          () => {
            const declared = declare({ cacheControl: value as never });
            if (typeof declared === "function") declared(class Wrong {}.prototype as never, "file");
          },
          (error) => {
            assert.ok(error instanceof ConfigurationError);
            assert.match(error.message, /: "cacheControl" must be a text such as "private, no-store", or a function/);
            return true;
          },
        );
      }
    });
  }
});

describe("middleware of the documentation that lets other sites show what is public", () => {
  for (const [what, outer, inner] of [
    ["alone", [], []],
    ["inside of koa-helmet", [helmet()], []],
    ["outside of koa-helmet", [], [helmet()]],
  ] as [string, Middleware[], Middleware[]][]) {
    it(`changes no header of a file that is not, nor of a refusal: ${what}`, async (t) => {
      const { application, url, article } = await withArticle(t, (app) => {
        for (const middleware of outer) app.use(middleware);
        app.use(async (ctx, next) => {
          await next();
          if (/\bpublic\b/.test(ctx.response.get("Cache-Control")))
            ctx.set("Cross-Origin-Resource-Policy", "cross-origin");
        });
        for (const middleware of inner) app.use(middleware);
      });
      const policyOf = async (ask: Ask) => (await application.get(url, ask)).headers["cross-origin-resource-policy"];
      assert.deepEqual([await policyOf({}), await policyOf({ as: "alice" })], ["same-origin", "same-origin"]);
      await application.dataSource.manager.update(Article, { id: article.id }, { isPublished: true });
      for (const ask of [{}, { method: "HEAD" }, { headers: { "If-None-Match": "*" } }]) {
        assert.equal(await policyOf(ask), "cross-origin");
      }
      assert.equal(await policyOf({ headers: { Range: "bytes=9999999-" } }), "same-origin");
    });
  }
});

async function withArticle(t: TestContext, before?: (app: Koa) => void) {
  const application = await startApplication({ entities: [Article], subscribers: [Counter], before });
  t.after(() => application.close());
  const article = new Article();
  await application.files.attach(article, "file", content, { filename: "article.txt" });
  await application.dataSource.manager.save(article);
  return { application, article, url: application.files.url(article, "file") };
}

function fails(): never {
  throw new Error("a secret");
}

function raise(value: unknown): never {
  throw value;
}
