import assert from "node:assert/strict";
import { eventually } from "../support/eventually.js";
import { pdfThatRuns } from "../support/pdf.js";
import { needs } from "../support/requirements.js";
import { describe, it } from "../support/suite.js";
import type { SentAs } from "./exhibits.js";
import { makeFilm } from "./film.js";
import { type TestedBrowser, withBrowser } from "./tested-browser.js";

/** Tests that a browser shows the files of a column with `attachment: false`. */
export function describeShowing(tested: TestedBrowser): void {
  describe(`${tested.name} shows`, { skip: tested.skip }, () => {
    const started = withBrowser(tested);

    it("a PDF in its viewer", async () => {
      const { browser, site } = started;
      await browser.open(await site.add("shown", "report.pdf", pdfThatRuns("")));
      await eventually(async () => assert.equal(await browser.showsPdf(), true));
    });

    it("a picture, by itself and in a page", async () => {
      const { browser, site } = started;
      const url = await site.add("shown", "picture.png", Buffer.from(PNG, "base64"));
      for (const address of [url, site.pageWith(`<img src="${url}">`)]) {
        await browser.open(address);
        await eventually(async () => assert.equal(await browser.evaluate("document.images[0].naturalWidth"), 1));
      }
    });

    for (const [charset, column, bytes, text] of TEXTS) {
      it(`a text in ${charset} as what it says`, async () => {
        const { browser, site } = started;
        await browser.open(await site.add(column, "note.txt", bytes));
        assert.equal(await browser.evaluate("document.body.innerText.trim()"), text);
      });
    }

    const how = `as one download${tested.loadsOn ? "" : ", without loading what lies between"}`;
    it(`a film from far ahead, ${how}`, { skip: needs("ffmpeg") }, async () => {
      const { browser, site } = started;
      const film = await makeFilm();
      const url = await site.add("shown", "film.webm", film);
      await browser.open(site.pageWith(`<video muted preload="metadata" src="${url}"></video>`));
      const [duration, position, width] = (await browser.evaluate(SEEK)) as [number, number, number];
      assert.deepEqual([position, width], [duration * 0.8, 320]);
      await browser.open(site.pageWith());
      await eventually(() => assert.equal(site.sent.length, site.announced.length));
      const { sent } = site;
      assert.ok(
        sent.some(({ range }) => range && range.start > film.length * 0.7),
        "no range far ahead was asked for",
      );
      const total = sent.reduce((sum, { bytesSent = 0 }) => sum + bytesSent, 0);
      assert.ok(tested.loadsOn || total < film.length / 2, `${total} of ${film.length} bytes were sent`);
      assert.equal(sent.filter(({ begins }) => begins).length, 1);
    });
  });
}

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const TEXTS: [charset: string, column: SentAs, bytes: Buffer, text: string][] = [
  ["UTF-8", "shown", Buffer.from("Grüße, 日本語"), "Grüße, 日本語"],
  ["windows-1252", "western", Buffer.from("Gr\xfc\xdfe \x80", "latin1"), "Grüße €"],
  ["Shift_JIS", "japanese", Buffer.from("93fa967b8cea", "hex"), "日本語"],
  ["UTF-16 with a byte order mark", "unknown", Buffer.from("\ufeffGrüße, 日本語", "utf16le"), "Grüße, 日本語"],
];

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
