import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { launchBrowser, withoutBrowser } from "../support/browser.js";
import { startCuttingProxy } from "../support/cutting-proxy.js";
import { eventually } from "../support/eventually.js";
import { pdfThatRuns } from "../support/pdf.js";
import { after, before, beforeEach, describe, it } from "../support/suite.js";
import { serveLargeFilm, sha256Of } from "./large-film.js";

@Entity()
class Exhibit {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ attachment: false, condition: () => true }) file!: PrivateFile;
}

// What any browser can be asked is in test/browsers.
describe("Chromium", { skip: withoutBrowser }, () => {
  let browser: Browser;
  let application: Application;
  let page: Page;
  const asked: string[] = [];

  before(async () => {
    browser = await launchBrowser();
    application = await startApplication({
      entities: [Exhibit],
      before: (app) =>
        app.use((ctx, next) => {
          asked.push(ctx.path);
          return next();
        }),
    });
  });
  after(async () => {
    await browser?.close();
    await application?.close();
  });
  beforeEach(async () => {
    asked.length = 0;
    page = await browser.newPage();
  });

  it("lets a script in a PDF that it shows reach nothing of the site", async () => {
    const messages: string[] = [];
    page.on("dialog", async (dialog) => {
      messages.push(dialog.message());
      await dialog.dismiss();
    });
    const origin = `http://127.0.0.1:${application.port}`;
    const attempts = [
      `this.submitForm("${origin}/ran")`,
      `app.launchURL("${origin}/ran")`,
      `this.getURL("${origin}/ran")`,
      `Net.HTTP.request({ cMethod: "GET", cURL: "${origin}/ran" })`,
      `fetch("${origin}/ran")`,
      `new XMLHttpRequest().open("GET", "${origin}/ran")`,
    ];
    const each = attempts.map((attempt) => `try { ${attempt}; } catch (error) {}`).join("\n");
    const url = await urlOf("script.pdf", pdfThatRuns(`${each}\napp.alert("it ran to its end");`));
    await page.goto(url);
    await eventually(async () => assert.ok(messages.includes("it ran to its end"), String(messages)));
    await page.waitForTimeout(300);
    assert.deepEqual(
      asked.filter((path) => path === "/ran"),
      [],
    );
    const { headers } = await application.get(new URL(url).pathname);
    const policy = String(headers["content-security-policy"]);
    assert.match(policy, /^default-src 'none';/);
    assert.doesNotMatch(policy, /script-src|connect-src|frame-src/);
  });

  it("resumes a download that the network cut, by Range and If-Range with the file's tag", async () => {
    const film = await serveLargeFilm(30_000_003);
    const proxy = await startCuttingProxy(film.application.port, { after: 10_000_000, times: 1 });
    try {
      const started = page.waitForEvent("download");
      await page.goto(`http://127.0.0.1:${proxy.port}${film.path}`).catch(() => {});
      const download = await started;
      assert.equal(await sha256Of(await download.path()), film.sha256);
      const [first, second, ...others] = film.seen;
      assert.deepEqual([first!.status, first!.range, others.length], [200, "", 0]);
      assert.equal(second!.status, 206);
      assert.match(second!.range, /^bytes=9\d{6}-$/);
      const { headers } = await film.application.get(film.path, { method: "HEAD" });
      assert.equal(second!.ifRange, headers.etag);
      assert.equal(await film.downloads(), 1);
    } finally {
      await proxy.close();
      await film.close();
    }
  });

  async function urlOf(filename: string, bytes: Buffer): Promise<string> {
    const exhibit = application.dataSource.manager.create(Exhibit, {});
    await application.files.attach(exhibit, "file", bytes, { filename });
    await application.dataSource.manager.save(exhibit);
    return `http://127.0.0.1:${application.port}${application.files.url(exhibit, "file")}`;
  }
});
