import assert from "node:assert/strict";
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

const script = `document.title = "it ran"; fetch("/ran")`;
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const files: Record<string, Buffer> = {
  "picture.png": Buffer.from(png, "base64"),
  "note.txt": Buffer.from(`grüße <script>${script}</script>`),
  "page.html": Buffer.from(`<!doctype html><script>${script}</script>`),
  "page.xhtml": Buffer.from(`<html xmlns="http://www.w3.org/1999/xhtml"><script>${script}</script></html>`),
  "drawing.svg": Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><script>${script}</script></svg>`),
  "feed.xml": Buffer.from(`<x:script xmlns:x="http://www.w3.org/1999/xhtml">${script}</x:script>`),
};

describe("a file of a column with attachment: false, in a browser", { skip: withoutBrowser }, () => {
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  let application: Application;
  let ran = 0;

  before(async () => {
    browser = await launchBrowser();
    application = await startApplication({
      entities: [Poster],
      before: (app) =>
        app.use(async (ctx, next) => {
          if (ctx.path === "/ran") ran++;
          const { of } = ctx.query;
          if (ctx.path === "/pictures") ctx.body = `<!doctype html><img src="${of}">`;
          else if (ctx.path !== "/embed") await next();
          else
            ctx.body = `<!doctype html><iframe src="${of}"></iframe><object data="${of}"></object><embed src="${of}">`;
        }),
    });
  });
  after(async () => {
    await browser?.close();
    await application?.close();
  });

  for (const name of ["picture.png", "note.txt"]) {
    it(`is shown, and nothing of it runs: ${name}`, async () => {
      const page = await browser.newPage();
      await page.goto(await urlOf(name));
      assert.equal(await isDrawn(page), true);
      await assertNothingRan(page);
    });
  }

  for (const name of ["page.html", "page.xhtml", "drawing.svg", "feed.xml"]) {
    it(`is saved, and nothing of it runs: ${name}`, async () => {
      const page = await browser.newPage();
      const download = page.waitForEvent("download");
      await page.goto(await urlOf(name)).catch(() => {});
      assert.equal((await download).suggestedFilename(), name);
      await assertNothingRan(page);
    });

    it(`is not run by a page of the same site that embeds it: ${name}`, async () => {
      const page = await browser.newPage();
      await page.goto(await urlOf("note.txt"));
      await page.setContent(
        `<iframe src="${await urlOf(name)}"></iframe><object data="${await urlOf(name)}"></object>`,
      );
      await page.waitForTimeout(300);
      await assertNothingRan(page);
    });
  }

  it("is not shown to a page of another site, though its own site's page shows it", async () => {
    const url = await urlOf("picture.png");
    const page = await browser.newPage();
    for (const [host, drawn] of [
      ["127.0.0.1", true],
      ["localhost", false],
    ] as const) {
      await page.goto(`http://${host}:${application.port}/pictures?of=${encodeURIComponent(url)}`);
      assert.equal(await isDrawn(page), drawn, host);
    }
    await page.close();
  });

  async function urlOf(name: string): Promise<string> {
    const poster = application.dataSource.manager.create(Poster, {});
    await application.files.attach(poster, "file", files[name]!, { filename: name });
    await application.dataSource.manager.save(poster);
    return `http://127.0.0.1:${application.port}${application.files.url(poster, "file")}`;
  }

  async function assertNothingRan(page: Page): Promise<void> {
    await page.waitForTimeout(200);
    assert.notEqual(await page.title(), "it ran");
    assert.equal(ran, 0);
    await page.close();
  }
});

/** Whether the browser shows a picture or a text. */
function isDrawn(page: Page): Promise<boolean> {
  return page.evaluate('document.images[0]?.naturalWidth > 0 || document.body.innerText.startsWith("grüße")');
}
