import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { beforeEach, describe, it, type TestContext } from "node:test";
import type { Context } from "koa";
import {
  Column,
  Entity,
  EntitySchema,
  EventSubscriber,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  ViewColumn,
  ViewEntity,
} from "typeorm";
import {
  type BeforeDownloadEvent,
  ConfigurationError,
  type DownloadDeniedEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  privateFileColumn,
  type SendOptions,
} from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { eventually } from "../support/eventually.js";

@Entity()
class Author {
  @PrimaryColumn({ length: 50 }) name!: string;
}

class Page {
  @PrivateFileColumn<Page>({ nullable: true, condition: () => true }) scan!: PrivateFile | null;
}

@Entity()
class Article {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ unique: true, length: 50 }) slug!: string;
  @ManyToOne(() => Author, { nullable: true }) author!: Relation<Author> | null;
  @Column(() => Page) page!: Page;

  @PrivateFileColumn<Article>({
    nullable: true,
    relations: { author: true },
    where: () => assert.fail("send does not ask where"),
    condition: (ctx, article) => rule(ctx, article) as boolean,
    filename: () => "of the column.pdf",
    cacheControl: "private, max-age=7",
  })
  file!: PrivateFile | null;
  @PrivateFileColumn<Article>({ nullable: true, select: false, condition: () => true }) hidden!: PrivateFile | null;
}

/** A view without a primary column: none of its rows has a URL. */
@ViewEntity({ expression: 'SELECT "slug", "file" FROM "article"' })
class Listed {
  @ViewColumn() slug!: string;
  @PrivateFileColumn<Listed>({ condition: () => true }) file!: PrivateFile;
}

interface Plain {
  id: number;
  file: PrivateFile;
}
const PlainEntity = new EntitySchema<Plain>({
  name: "plain",
  columns: {
    id: { type: Number, primary: true, generated: true },
    file: privateFileColumn<Plain>({ condition: () => true }),
  },
});

let rule: (ctx: Context, article: Article) => unknown;
let asked: number;
const told: [hook: string, event: BeforeDownloadEvent | DownloadDeniedEvent][] = [];

@EventSubscriber()
class Listener implements PrivateFileSubscriber {
  beforeDownload(event: BeforeDownloadEvent) {
    told.push(["beforeDownload", event]);
  }
  downloadDenied(event: DownloadDeniedEvent) {
    told.push(["downloadDenied", event]);
  }
}

beforeEach(() => {
  asked = 0;
  told.length = 0;
  rule = () => {
    asked++;
    return true;
  };
});

const content = Buffer.from("%PDF-1.7");

describe("send", () => {
  it("answers a row that was found by its slug, at an address that says nothing of the file", async (t) => {
    const { application, respond } = await withArticle(t);
    respond(async (ctx) => {
      const article = await application.dataSource.manager.findOneByOrFail(Article, { slug: ctx.path.slice(1) });
      await application.files.send(ctx, article, "file");
    });
    const { status, headers, body } = await application.get("/hello");
    assert.deepEqual([status, body], [200, content]);
    assert.equal(headers["content-disposition"], `attachment; filename="of the column.pdf"`);
    assert.equal(headers["cache-control"], "private, max-age=7");
    assert.equal(asked, 1);
  });

  it("gives the rule and the hooks the very entity that it was given", async (t) => {
    const { application, article, respond } = await withArticle(t);
    let entity: unknown;
    rule = (_ctx, given) => {
      entity = given;
      return true;
    };
    respond((ctx) => application.files.send(ctx, article, "file"));
    await application.get("/");
    assert.equal(entity, article);
    assert.equal(told[0]?.[1].entity, article);
  });

  it("runs no SELECT, and loads no relations", async (t) => {
    const { application, article, respond } = await withArticle(t);
    const statements: string[] = [];
    application.dataSource.setOptions({ logging: "all" as never });
    application.dataSource.logger = { logQuery: (sql: string) => statements.push(sql) } as never;
    respond((ctx) => application.files.send(ctx, article, "file"));
    assert.equal((await application.get("/")).status, 200);
    assert.deepEqual(statements, []);
    assert.equal(article.author, undefined);
  });

  it("is refused by the column's rule, unless the route is the rule", async (t) => {
    const { application, article, respond } = await withArticle(t);
    rule = () => {
      asked++;
      return false;
    };
    for (const [options, status] of [
      [{}, 403],
      [{ authorized: false }, 403],
      [{ authorized: undefined }, 403],
      [{ authorized: true }, 200],
    ] as [SendOptions, number][]) {
      asked = 0;
      told.length = 0;
      respond((ctx) => application.files.send(ctx, article, "file", options));
      assert.equal((await application.get("/")).status, status);
      assert.equal(asked, status === 403 ? 1 : 0);
      assert.deepEqual(
        told.map(([hook]) => hook),
        [status === 403 ? "downloadDenied" : "beforeDownload"],
      );
    }
  });

  it("with authorized still sends nothing where a hook throws", async (t) => {
    const { application, article, respond } = await withArticle(t);
    application.dataSource.subscribers.push({
      beforeDownload() {
        throw Object.assign(new Error("no"), { status: 429 });
      },
    } as PrivateFileSubscriber);
    respond((ctx) => application.files.send(ctx, article, "file", { authorized: true }));
    const { status, headers, body } = await application.get("/");
    assert.deepEqual([status, headers.etag, body.includes("%PDF")], [429, undefined, false]);
  });

  it("takes the name, the Cache-Control and the way of showing that it is given, for GET, HEAD and 304", async (t) => {
    const { application, article, respond } = await withArticle(t);
    const options = { filename: "Grüße\r\n.pdf", cacheControl: "public, max-age=600", attachment: false };
    respond((ctx) => application.files.send(ctx, article, "file", options));
    const get = await application.get("/");
    const head = await application.get("/", { method: "HEAD" });
    const unchanged = await application.get("/", { headers: { "If-None-Match": get.headers.etag } });
    assert.deepEqual([get.status, head.status, unchanged.status], [200, 200, 304]);
    for (const { headers } of [get, head])
      assert.match(String(headers["content-disposition"]), /^inline; .*Gr%C3%BC%C3%9Fe/);
    for (const { headers } of [get, head, unchanged]) {
      assert.equal(headers["cache-control"], "public, max-age=600");
      assert.match(String(headers["content-security-policy"]), /img-src 'self'/);
    }
  });

  it("takes what it is not given, or given as undefined or an empty name, from the column", async (t) => {
    const { application, article, respond } = await withArticle(t);
    for (const options of [
      {},
      { filename: undefined, cacheControl: undefined, attachment: undefined },
      { filename: "" },
    ]) {
      respond((ctx) => application.files.send(ctx, article, "file", options));
      const { headers } = await application.get("/");
      assert.equal(headers["content-disposition"], 'attachment; filename="of the column.pdf"');
      assert.equal(headers["cache-control"], "private, max-age=7");
    }
  });

  it("changes nothing for the answer after it", async (t) => {
    const { application, article, respond } = await withArticle(t);
    respond((ctx) =>
      application.files.send(ctx, article, "file", ctx.path === "/other" ? { filename: "other.pdf" } : {}),
    );
    await application.get("/other");
    assert.match((await application.get("/")).headers["content-disposition"]!, /of the column/);
  });

  for (const name of ["page.html", "image.svg", "feed.xml", "script.js", "archive.zip"]) {
    it(`never lets a browser run a file, even with attachment: false: ${name}`, async (t) => {
      const { application, article, respond } = await withArticle(t, name);
      const options = { attachment: false, filename: "harmless.png", authorized: true };
      respond((ctx) => application.files.send(ctx, article, "file", options));
      const { headers } = await application.get("/");
      assert.match(headers["content-disposition"]!, /^attachment;/);
      assert.match(headers["content-type"]!, /^application\/(octet-stream|zip)$/);
      assert.match(String(headers["content-security-policy"]), /sandbox/);
    });
  }

  it("sends the file of an embedded entity, and of a column that is selected by hand", async (t) => {
    const { application, article, respond } = await withArticle(t);
    const { files, dataSource } = application;
    await files.attach(article, "page.scan", Buffer.from("page"), { filename: "p.txt" });
    await files.attach(article, "hidden", Buffer.from("hidden"), { filename: "h.txt" });
    await dataSource.manager.save(article);
    const loaded = await dataSource.createQueryBuilder(Article, "article").addSelect("article.hidden").getOneOrFail();
    for (const [property, text] of [
      ["page.scan", "page"],
      ["hidden", "hidden"],
    ] as const) {
      respond((ctx) => files.send(ctx, loaded, property));
      assert.equal((await application.get("/")).body.toString(), text);
    }
  });

  it("sends the file of a row that can have no URL: a view without a primary column", async (t) => {
    const { application, respond } = await withArticle(t);
    const listed = await application.dataSource.manager.findOneByOrFail(Listed, { slug: "hello" });
    respond((ctx) => application.files.send(ctx, listed, "file"));
    assert.equal((await application.get("/")).status, 200);
    await rm(application.storage.path(listed.file.key));
    assert.equal((await application.get("/")).status, 404);
    const [error] = application.errors as [Error];
    assert.match(error.message, /^Listed\.file: the row names "[^"]*\/scan\.pdf", which its storage does not have/);
  });

  it("sends the file of an EntitySchema without a class", async (t) => {
    const { application, respond } = await withArticle(t);
    const plain = application.dataSource.manager.create(PlainEntity, {});
    await application.files.attach(plain, "file", Buffer.from("plain"), { filename: "p.txt" });
    await application.dataSource.manager.save(PlainEntity, plain);
    respond((ctx) => application.files.send(ctx, plain, "file"));
    assert.equal((await application.get("/")).body.toString(), "plain");
  });

  it("answers 404 for a file that was replaced after the row was loaded: the rule was asked for the old one", async (t) => {
    const { application, article, respond } = await withArticle(t);
    const { files, dataSource } = application;
    let stale: Article | undefined;
    respond((ctx) => files.send(ctx, stale!, "file"));
    stale = await dataSource.manager.findOneByOrFail(Article, { id: article.id });
    await files.attach(article, "file", Buffer.from("not published yet"), { filename: "draft.pdf" });
    await dataSource.manager.save(article);
    for (const method of ["GET", "HEAD"]) {
      asked = 0;
      const { status, body } = await application.get("/", { method });
      assert.deepEqual([status, body.includes("published"), asked], [404, false, 1]);
    }
    await eventually(() => assert.equal(told.length, 2));
    const [[hook, event]] = told as [[string, DownloadDeniedEvent]];
    assert.deepEqual([hook, event.step, event.entity], ["downloadDenied", "describe", stale]);
    const [error] = application.errors as [Error & { code: string }];
    assert.equal(error.code, "ERR_PRIVATE_FILE_MISSING");
    assert.match(error.message, /^Article\.file: the row "1" names .* look whether the row has another file by now\.$/);
  });

  it("lets a route set headers after it, such as Cross-Origin-Resource-Policy", async (t) => {
    const { application, article, respond } = await withArticle(t);
    respond(async (ctx) => {
      await application.files.send(ctx, article, "file", { cacheControl: "public, max-age=60" });
      ctx.set("Cross-Origin-Resource-Policy", "cross-origin");
    });
    const { etag } = (await application.get("/")).headers;
    for (const [ask, status] of [
      [{}, 200],
      [{ method: "HEAD" }, 200],
      [{ headers: { Range: "bytes=0-1" } }, 206],
      [{ headers: { "If-None-Match": etag } }, 304],
    ] as const) {
      const answer = await application.get("/", ask);
      assert.deepEqual([answer.status, answer.headers["cross-origin-resource-policy"]], [status, "cross-origin"]);
    }
    rule = () => false;
    assert.equal((await application.get("/")).headers["cross-origin-resource-policy"], "same-origin");
  });
});

describe("a mistake in a call of send", () => {
  const rows: [string, unknown, string, unknown, RegExp][] = [
    [
      "an unknown option",
      "article",
      "file",
      { authorised: true },
      /^PrivateFiles\.send: unknown option "authorised"\. Use one of authorized/,
    ],
    [
      "an option of the prototype",
      "article",
      "file",
      { constructor: true },
      /^PrivateFiles\.send: unknown option "constructor"/,
    ],
    [
      "options that are no object",
      "article",
      "file",
      "authorized",
      /^PrivateFiles\.send: the options must be an object, got "auth/,
    ],
    ["options that are null", "article", "file", null, /^PrivateFiles\.send: the options must be an object, got null/],
    [
      "authorized: 1",
      "article",
      "file",
      { authorized: 1 },
      /^PrivateFiles\.send: "authorized" must be true or false, got 1\./,
    ],
    [
      "authorized that is a promise",
      "article",
      "file",
      { authorized: Promise.resolve(true) },
      /^PrivateFiles\.send: "authorized" must be .*got an object/,
    ],
    [
      "authorized: null",
      "article",
      "file",
      { authorized: null },
      /^PrivateFiles\.send: "authorized" must be .*got null/,
    ],
    [
      "attachment: 'inline'",
      "article",
      "file",
      { attachment: "inline" },
      /^PrivateFiles\.send: "attachment" must be true or false/,
    ],
    [
      "a filename that is a function",
      "article",
      "file",
      { filename: () => "a" },
      /^PrivateFiles\.send: "filename" must be a string/,
    ],
    [
      "an empty cacheControl",
      "article",
      "file",
      { cacheControl: "" },
      /^PrivateFiles\.send: "cacheControl" must be a value of/,
    ],
    [
      "a cacheControl with a line break",
      "article",
      "file",
      { cacheControl: "a\r\nb: c" },
      /^PrivateFiles\.send: "cacheControl"/,
    ],
    [
      "a property that is not private",
      "article",
      "slug",
      {},
      /^Article\.slug: it is not a private file column\. Use one/,
    ],
    ["no entity", null, "file", {}, /^entity\.file: the entity is null/],
    ["a plain object", {}, "scan", {}, /must be an instance of an entity class, got a plain object/],
    ["an entity without the column", new Author(), "file", {}, /^Author\.file: it is not a private file column/],
    ["a property that was not selected", "article", "hidden", {}, /^Article\.hidden: the entity was loaded without/],
  ];
  it("is a ConfigurationError where it gets something else than a context, such as the request", async (t) => {
    const { application } = await withArticle(t);
    const article = await application.dataSource.manager.findOneByOrFail(Article, { slug: "hello" });
    for (const ctx of [{}, null, { req: {}, res: {} }]) {
      await assert.rejects(application.files.send(ctx as never, article, "file"), {
        name: "ConfigurationError",
        message: /^PrivateFiles\.send: "ctx" must be the context of a request, got /,
      });
    }
  });

  for (const [what, entity, property, options, message] of rows) {
    it(`is a ConfigurationError, and nothing is sent: ${what}`, async (t) => {
      const { application, respond } = await withArticle(t);
      const article = await application.dataSource.manager.findOneByOrFail(Article, { slug: "hello" });
      respond((ctx) =>
        application.files.send(
          ctx,
          (entity === "article" ? article : entity) as Article,
          property as "file",
          options as SendOptions,
        ),
      );
      const { status, body, headers } = await application.get("/");
      assert.deepEqual([status, body.toString(), headers.etag], [500, "Internal Server Error", undefined]);
      const [error] = application.errors as [Error];
      assert.ok(error instanceof ConfigurationError);
      assert.match(error.message, message);
      assert.deepEqual(told, []);
    });
  }

  for (const what of ["an option", "the entity"]) {
    it(`ends no process where ${what} is a promise that rejects, as without await`, async (t) => {
      const { application, respond } = await withArticle(t);
      const loaded = await application.dataSource.manager.findOneByOrFail(Article, { slug: "hello" });
      respond((ctx) => {
        const promise = (async () => assert.fail("the database is down"))() as never;
        const [article, options] = what === "an option" ? [loaded, { authorized: promise }] : [promise, {}];
        return application.files.send(ctx, article as Article, "file", options);
      });
      // An unhandled rejection fails this test.
      assert.equal((await application.get("/")).status, 500);
      assert.match(
        String(application.errors),
        /^ConfigurationError: .* promise|"authorized" must be true or false, got an object/,
      );
    });
  }
});

type Respond = (answer: (ctx: Context) => Promise<void>) => void;

/** An application that answers every request but those of the routes as the test says. */
async function withArticle(t: TestContext, filename = "scan.pdf") {
  let answer: (ctx: Context) => Promise<void>;
  const application: Application = await startApplication({
    entities: [Author, Article, Listed, PlainEntity],
    subscribers: [Listener],
    before(app) {
      app.use((ctx) => answer(ctx));
    },
  });
  t.after(() => application.close());
  const article = application.dataSource.manager.create(Article, { slug: "hello" });
  await application.files.attach(article, "file", content, { filename });
  await application.dataSource.manager.save(article);
  const respond: Respond = (by) => {
    answer = by;
  };
  return { application, article, respond };
}
