import assert from "node:assert/strict";
import Router, { type RouterContext } from "@koa/router";
import { Article, Author, articleRoutes } from "../../docs/examples/send/articles.js";
import { Contract, hashOf, Share, sharedLinkRoutes } from "../../docs/examples/send/shared-links.js";
import { Photo, thumbnailRoutes } from "../../docs/examples/send/thumbnails.js";
import { type Application, startApplication } from "../support/application.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { after, before, it } from "../support/suite.js";

describeOnEachDatabase("The routes of docs/send.md", (database) => {
  const router = new Router();
  let application: Application;

  before(async () => {
    application = await startApplication({
      database,
      entities: [Author, Article, Contract, Share, Photo],
      before: (app) =>
        app.use((ctx, next) => {
          if (ctx.state.user) ctx.state.user = { id: Number(ctx.state.user.id) };
          return router.routes()(ctx as RouterContext, next);
        }),
    });
    for (const routes of [articleRoutes, sharedLinkRoutes, thumbnailRoutes]) {
      router.use(routes(application.files).routes());
    }
  });
  after(() => application?.close());

  it("send an article at the address of its slug: to all once it is published, and to its author before", async () => {
    const { dataSource, files } = application;
    const author = await dataSource.manager.save(new Author());
    const article = dataSource.manager.create(Article, { slug: "on-ranges", isPublished: false, author });
    await files.attach(article, "pdf", Buffer.from("article"), { filename: "draft-7.pdf" });
    await dataSource.manager.save(article);
    const ask = (as?: string) => application.get("/articles/on-ranges/pdf", { as });
    assert.deepEqual([(await ask()).status, (await ask("99")).status], [403, 403]);
    const draft = await ask(String(author.id));
    assert.deepEqual([draft.status, draft.headers["cache-control"]], [200, "private, no-store"]);
    assert.equal(draft.headers["content-disposition"], 'attachment; filename="on-ranges.pdf"');
    await dataSource.manager.update(Article, { id: article.id }, { isPublished: true });
    const published = await ask();
    assert.deepEqual([published.status, published.headers["cache-control"]], [200, "public, max-age=600"]);
    for (const slug of ["none", "%00", "a%2Fb", "%ff"]) {
      const { status } = await application.get(`/articles/${slug}/pdf`);
      assert.ok(status === 404 || status === 400, `${slug}: ${status}`);
    }
  });

  it("send a contract to whoever has the token of a share, as long as it is there and has not expired", async () => {
    const { dataSource, files } = application;
    const contract = dataSource.manager.create(Contract, { ownerId: 7 });
    await files.attach(contract, "document", Buffer.from("contract"), { filename: "contract.pdf" });
    await dataSource.manager.save(contract);
    const share = (token: string, seconds: number) =>
      dataSource.manager.save(Share, {
        tokenHash: hashOf(token),
        expiresAt: new Date(Date.now() + seconds * 1000),
        contract,
      });
    await share("valid", 86_400);
    await share("expired", -86_400);
    const statusOf = async (path: string) => (await application.get(path)).status;
    assert.equal(await statusOf(files.url(contract, "document")), 403);
    assert.equal((await application.get("/shared/valid")).body.toString(), "contract");
    assert.deepEqual([await statusOf("/shared/expired"), await statusOf("/shared/another")], [404, 404]);
    await dataSource.manager.delete(Share, { tokenHash: hashOf("valid") });
    assert.equal(await statusOf("/shared/valid"), 404);
  });

  it("show a thumbnail to the owner of a photo, or the photo where there is none", async () => {
    const { dataSource, files } = application;
    const photo = dataSource.manager.create(Photo, { ownerId: 7 });
    await files.attach(photo, "original", Buffer.from("large"), { filename: "a.jpg" });
    await dataSource.manager.save(photo);
    const ask = (as: string) => application.get(`/photos/${photo.id}/thumbnail`, { as });
    assert.equal((await ask("7")).body.toString(), "large");
    await files.attach(photo, "thumbnail", Buffer.from("small"), { filename: "a.jpg" });
    await dataSource.manager.save(photo);
    const { headers, body } = await ask("7");
    assert.equal(body.toString(), "small");
    assert.equal(headers["content-disposition"], 'inline; filename="a.jpg"');
    assert.equal(headers["cache-control"], "private, max-age=3600");
    assert.equal((await ask("8")).status, 403);
    assert.equal((await application.get("/photos/7/thumbnail", { as: "7" })).status, 404);
  });
});
