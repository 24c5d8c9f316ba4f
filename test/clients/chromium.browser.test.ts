import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import { type AfterDownloadEvent, PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { launchBrowser, withoutBrowser } from "../support/browser.js";
import { startCuttingProxy } from "../support/cutting-proxy.js";
import { eventually } from "../support/eventually.js";
import { run } from "../support/programs.js";
import { needs } from "../support/requirements.js";
import { after, before, beforeEach, describe, it } from "../support/suite.js";
import { serveLargeFilm, sha256Of } from "./large-film.js";

@Entity()
class Exhibit {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ attachment: false, condition: () => true }) file!: PrivateFile;
}

const sent: AfterDownloadEvent[] = [];

@EventSubscriber()
class Meter {
  afterDownload(event: AfterDownloadEvent) {
    sent.push(event);
  }
}

describe("Chromium", { skip: withoutBrowser }, () => {
  let browser: Browser;
  let application: Application;
  let page: Page;
  let downloads: string[];
  const asked: string[] = [];

  before(async () => {
    browser = await launchBrowser();
    application = await startApplication({
      entities: [Exhibit],
      subscribers: [Meter],
      before: (app) =>
        app.use(async (ctx, next) => {
          asked.push(ctx.path);
          if (ctx.path !== "/page") await next();
          else ctx.body = `<!doctype html>${ctx.query.html}`;
        }),
    });
  });
  after(async () => {
    await browser?.close();
    await application?.close();
  });
  beforeEach(async () => {
    sent.length = 0;
    asked.length = 0;
    downloads = [];
    page = await browser.newPage();
    page.on("download", (download) => downloads.push(download.suggestedFilename()));
  });

  it("shows a PDF in its viewer", async () => {
    await page.goto(await urlOf("report.pdf", pdfThatRuns("")));
    await eventually(async () => assert.deepEqual(page.frames().map(kindOf), ["file", "viewer", "file"]));
    assert.deepEqual(downloads, []);
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

  it("shows a picture", async () => {
    const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const url = await urlOf("picture.png", Buffer.from(png, "base64"));
    await page.goto(url);
    assert.equal(await page.evaluate("document.images[0].naturalWidth"), 1);
    await page.goto(pageWith(`<img src="${url}">`));
    assert.equal(await page.evaluate("document.images[0].naturalWidth"), 1);
    assert.deepEqual(downloads, []);
  });

  it("seeks far ahead in a film without loading what lies between", { skip: needs("ffmpeg") }, async () => {
    const film = await makeFilm();
    const url = await urlOf("film.webm", film);
    await page.goto(pageWith(`<video muted preload="metadata" src="${url}"></video>`));
    const [duration, position, width] = (await page.evaluate(SEEK)) as [number, number, number];
    assert.deepEqual([position, width], [duration * 0.8, 320]);
    await page.close();
    await eventually(async () => assert.ok(sent.every(({ ctx }) => ctx.status === 206)));
    assert.ok(
      sent.some(({ range }) => range!.start > film.length * 0.7),
      "no range far ahead was asked for",
    );
    const total = sent.reduce((sum, { bytesSent = 0 }) => sum + bytesSent, 0);
    assert.ok(total < film.length / 2, `${total} of ${film.length} bytes were sent`);
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

  function pageWith(html: string): string {
    return `http://127.0.0.1:${application.port}/page?html=${encodeURIComponent(html)}`;
  }
});

const SEEK = `new Promise((resolve, reject) => {
  const video = document.querySelector("video");
  video.onerror = () => reject(new Error(video.error.message));
  const seek = () => {
    video.onseeked = () => resolve([video.duration, video.currentTime, video.videoWidth]);
    video.currentTime = video.duration * 0.8;
  };
  if (video.readyState > 0) seek();
  else video.onloadedmetadata = seek;
})`;

/** Some 70 MB, several times what a browser reads ahead: two seconds of noise, over and over. */
async function makeFilm(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "private-files-film-"));
  const [piece, film] = [join(folder, "piece.webm"), join(folder, "film.webm")];
  const quick = [
    "-c:v",
    "libvpx",
    "-b:v",
    "4M",
    "-minrate",
    "4M",
    "-deadline",
    "realtime",
    "-cpu-used",
    "8",
    "-g",
    "25",
  ];
  try {
    await ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=2,noise=alls=60:allf=t", ...quick, piece);
    // Without an index at its front a player reads a film from its start on.
    await ffmpeg("-stream_loop", "59", "-i", piece, "-c", "copy", "-cues_to_front", "1", film);
    return await readFile(film);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function ffmpeg(...args: string[]): Promise<void> {
  const { code, stderr } = await run("ffmpeg", "-v", "error", ...args);
  assert.equal(code, 0, stderr);
}

/** A PDF of one empty page, with a script that runs when it is opened. */
function pdfThatRuns(script: string): Buffer {
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R /OpenAction 4 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
    `<< /S /JavaScript /JS (${script.replace(/[()\\]/g, "\\$&")}) >>`,
  ];
  let text = "%PDF-1.7\n";
  const entries = objects.map((object, index) => {
    const entry = `${String(text.length).padStart(10, "0")} 00000 n \n`;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return entry;
  });
  const xref = `xref\n0 5\n0000000000 65535 f \n${entries.join("")}trailer\n<< /Size 5 /Root 1 0 R >>\n`;
  return Buffer.from(`${text}${xref}startxref\n${text.length}\n%%EOF\n`);
}

/** Chromium shows a PDF by an extension in a frame, which has the file in a frame of its own. */
function kindOf(frame: { url(): string }): string {
  return frame.url().startsWith("chrome-extension://") ? "viewer" : "file";
}
