import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Context } from "koa";
import type { Browser, Page } from "playwright-core";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { launchBrowser, withoutBrowser } from "../support/browser.js";
import { eventually } from "../support/eventually.js";
import { after, before, describe, it } from "../support/suite.js";

@Entity()
class Poster {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ attachment: false, condition: () => true }) file!: PrivateFile;
}

const script = `document.title = "it ran"`;

/** A picture of one pixel whose bytes are a script, too: its width is the start of a comment. */
const polyglot = Buffer.concat([
  Buffer.from("GIF89a/*"),
  Buffer.from("01000000002c00000000010001000002024401003b", "hex"),
  Buffer.from(`*/=1;${script}`),
]);
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const contents: Record<string, Buffer> = {
  "picture.png": Buffer.from(png, "base64"),
  "note.txt": Buffer.from(script),
  "code.js": Buffer.from(script),
  "page.html": Buffer.from(`<!doctype html><script>${script}</script>`),
  "polyglot.gif": polyglot,
  "polyglot.txt": polyglot,
  "polyglot.js": polyglot,
};

/** What embeds what: each is embedded from the page of a stranger, and from one of the site where it is a script. */
const embeddings: [element: string, name: string, type: string][] = [
  ["img", "picture.png", "image/png"],
  ["img", "polyglot.gif", "image/gif"],
  ["script", "code.js", "text/javascript"],
  ["script", "note.txt", "text/plain"],
  ["script", "polyglot.txt", "text/plain"],
  ["iframe", "note.txt", "text/plain"],
  ["iframe", "picture.png", "image/png"],
  ["object", "picture.png", "image/png"],
  ["fetch", "note.txt", "text/plain"],
];

describe("a private file in the page of another origin", { skip: withoutBrowser }, () => {
  let browser: Browser;
  let page: Page;
  let application: Application;
  let foreign: Server;

  before(async () => {
    browser = await launchBrowser();
    page = await browser.newPage();
    foreign = createServer((_request, response) => response.setHeader("Content-Type", "text/html").end(EMPTY_PAGE));
    foreign.listen(0, "127.0.0.1");
    await once(foreign, "listening");
    application = await startApplication({ entities: [Poster], before: (app) => app.use(withoutProtection) });
  });
  after(async () => {
    await browser?.close();
    await application?.close();
    foreign?.closeAllConnections();
    foreign?.close();
  });

  for (const host of ["127.0.0.1", "localhost"]) {
    for (const [element, name, type] of embeddings) {
      it(`is blocked, as <${element}> of a page on another port of ${host}: ${name}`, async () => {
        const { port } = foreign.address() as AddressInfo;
        await page.goto(`http://${host}:${port}/`);
        const plain = `${origin()}/plain/${name}?type=${type}`;
        assert.equal(await embed(page, element, plain), "loaded", "this test can't see what is loaded");
        await page.goto(`http://${host}:${port}/`);
        assert.equal(await embed(page, element, await urlOf(name)), "blocked");
        assert.equal(await page.title(), "");
      });
    }
  }

  for (const name of ["note.txt", "code.js", "page.html", "polyglot.gif", "polyglot.txt", "polyglot.js"]) {
    it(`is no script for a page of the site itself, whatever its bytes are: ${name}`, async () => {
      await page.goto(`${origin()}/plain/empty?type=text/html`);
      assert.equal(await embed(page, "script", await urlOf(name)), "blocked");
      assert.equal(await page.title(), "");
    });
  }

  it("would run as a script for its bytes alone: a picture that is a script, too", async () => {
    await page.goto(`${origin()}/plain/empty?type=text/html`);
    assert.equal(await embed(page, "script", `${origin()}/plain/polyglot.gif?type=text/plain`), "loaded");
    assert.equal(await page.title(), "it ran");
    assert.equal(await embed(page, "img", await urlOf("polyglot.gif")), "loaded");
  });

  function origin(): string {
    return `http://127.0.0.1:${application.port}`;
  }

  async function urlOf(filename: string): Promise<string> {
    const poster = application.dataSource.manager.create(Poster, {});
    await application.files.attach(poster, "file", contents[filename]!, { filename });
    await application.dataSource.manager.save(poster);
    return `${origin()}${application.files.url(poster, "file")}`;
  }
});

const EMPTY_PAGE = "<!doctype html><body></body>";

/** The same bytes from an application that protects nothing. */
async function withoutProtection(ctx: Context, next: () => Promise<unknown>): Promise<void> {
  const [, folder, name] = ctx.path.split("/");
  if (folder !== "plain") return void (await next());
  ctx.body = contents[name!] ?? EMPTY_PAGE;
  ctx.set("Content-Type", String(ctx.query.type));
}

/** Embeds an address into a page, and says whether anything of it got there. */
async function embed(page: Page, element: string, url: string): Promise<"loaded" | "blocked"> {
  if (element === "iframe") return embedFrame(page, url);
  const load =
    element === "fetch"
      ? `fetch(${JSON.stringify(url)}, { mode: "no-cors" })`
      : `new Promise((resolve, reject) => {
          const element = document.createElement("${element}");
          Object.assign(element, { onload: resolve, onerror: reject, ${element === "object" ? "data" : "src"}: ${JSON.stringify(url)} });
          document.body.append(element);
        })`;
  return page.evaluate(`${load}.then(() => "loaded", () => "blocked")`);
}

async function embedFrame(page: Page, url: string): Promise<"loaded" | "blocked"> {
  await page.evaluate(`document.body.innerHTML = '<iframe src="${url}"></iframe>'`);
  let shown = "";
  await eventually(async () => {
    shown = page.frames()[1]?.url() ?? "";
    assert.match(shown, /^(http|chrome-error):/);
  });
  return shown === url ? "loaded" : "blocked";
}
