import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import cors from "@koa/cors";
import Koa from "koa";
import type { Page } from "playwright-core";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { launchBrowser, withoutBrowser } from "../support/browser.js";
import { after, before, describe, it } from "../support/suite.js";

@Entity()
class Poster {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ attachment: false, condition: () => true }) file!: PrivateFile;
}

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describe("a file with @koa/cors around the routes, for a page of another origin", { skip: withoutBrowser }, () => {
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  let application: Application;
  let elsewhere: Server;
  let page: Page;
  let url: string;

  before(async () => {
    browser = await launchBrowser();
    application = await startApplication({
      entities: [Poster],
      before: (app) => app.use(cors({ exposeHeaders: "Content-Disposition" })),
    });
    const poster = new Poster();
    await application.files.attach(poster, "file", Buffer.from(png, "base64"), { filename: "a.png" });
    await application.dataSource.manager.save(poster);
    url = `http://127.0.0.1:${application.port}${application.files.url(poster, "file")}`;
    const other = new Koa().use((ctx) => Object.assign(ctx, { type: "html", body: "<!doctype html><p>elsewhere" }));
    elsewhere = other.listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
  });
  after(async () => {
    await browser?.close();
    elsewhere?.close();
    await application?.close();
  });

  it("can be fetched, with the headers that are exposed", async () => {
    const script = `fetch(${JSON.stringify(url)}).then(async (answer) =>
      [answer.status, (await answer.arrayBuffer()).byteLength, answer.headers.get("content-disposition")])`;
    const length = Buffer.from(png, "base64").length;
    assert.deepEqual(await page.evaluate(script), [200, length, 'inline; filename="a.png"']);
  });

  for (const [what, attribute, shown] of [
    ["is not shown by an <img>", "", "error"],
    ["is shown by an <img crossorigin>", "anonymous", "load"],
  ] as const) {
    it(what, async () => {
      const script = `new Promise((resolve) => {
        const image = new Image();
        if (${JSON.stringify(attribute)}) image.crossOrigin = ${JSON.stringify(attribute)};
        image.onload = image.onerror = (event) => resolve(event.type);
        image.src = ${JSON.stringify(url)};
      })`;
      assert.equal(await page.evaluate(script), shown);
    });
  }
});
