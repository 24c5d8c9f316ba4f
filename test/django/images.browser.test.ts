import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { sameSite } from "../../docs/examples/django/same-site.js";
import { type Application, startApplication } from "../support/application.js";
import { launchBrowser, withoutBrowser } from "../support/browser.js";
import { after, before, describe, it } from "../support/suite.js";

@Entity()
class Picture {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ condition: (ctx) => ctx.cookies.get("sessionid") === "alice" }) file!: PrivateFile;
}

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describe("an image on a page of Django's, which has another origin,", { skip: withoutBrowser }, () => {
  let browser: Browser;
  let django: Server;

  before(async () => {
    browser = await launchBrowser();
    django = createServer((_request, response) =>
      response.setHeader("Content-Type", "text/html").end("<!doctype html>"),
    );
    django.listen(0, "127.0.0.1");
    await once(django, "listening");
  });
  after(async () => {
    await browser?.close();
    django?.close();
  });

  it("is blocked as the package sends it", async (t) => {
    assert.equal(await embedded(t, await start(t), "www.site.localhost"), "blocked");
  });

  it("is shown where the middleware of the documentation lets the same site in, with Django's cookie", async (t) => {
    const application = await start(t, sameSite);
    assert.equal(await embedded(t, application, "www.site.localhost"), "loaded");
    assert.equal(await embedded(t, application, "www.site.localhost", "bob"), "blocked");
  });

  it("is blocked on a page of another site nevertheless", async (t) => {
    assert.equal(await embedded(t, await start(t, sameSite), "www.other.localhost"), "blocked");
  });

  async function start(t: Ending, middleware?: typeof sameSite): Promise<Application> {
    const before = middleware && ((app: Application["app"]) => app.use(middleware));
    const application = await startApplication({ entities: [Picture], before });
    t.after(() => application.close());
    return application;
  }

  async function embedded(t: Ending, { port, files, dataSource }: Application, host: string, session = "alice") {
    const picture = dataSource.manager.create(Picture);
    await files.attach(picture, "file", Buffer.from(PNG, "base64"), { filename: "picture.png" });
    await dataSource.manager.save(picture);
    const context = await browser.newContext();
    t.after(() => context.close());
    // As Django sets it with SESSION_COOKIE_DOMAIN = "site.localhost".
    const cookie = { domain: ".site.localhost", path: "/", sameSite: "Lax" } as const;
    await context.addCookies([{ name: "sessionid", value: session, ...cookie }]);
    const page = await context.newPage();
    await page.goto(`http://${host}:${(django.address() as AddressInfo).port}/`);
    const src = JSON.stringify(`http://files.site.localhost:${port}${files.url(picture, "file")}`);
    return page.evaluate(`new Promise((resolve) => {
      Object.assign(new Image(), { onload: () => resolve("loaded"), onerror: () => resolve("blocked"), src: ${src} });
    })`);
  }
});

interface Ending {
  after(fn: () => Promise<void>): void;
}
