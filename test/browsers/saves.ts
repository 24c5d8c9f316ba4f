import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { eventually } from "../support/eventually.js";
import { describe, it } from "../support/suite.js";
import { takeSavedFile } from "./saved-file.js";
import { type TestedBrowser, withBrowser } from "./tested-browser.js";

/** Tests that a browser saves an attachment, in each way that pages have to start a download. */
export function describeSaving(tested: TestedBrowser): void {
  describe(`${tested.name} saves an attachment`, { skip: tested.skip }, () => {
    const started = withBrowser(tested);

    for (const [way, act] of WAYS) {
      for (const filename of ["report.pdf", "a report.txt", "Übung ünï 日本.pdf"]) {
        it(`by ${way}, whole, under its name, and counted once: ${filename}`, async () => {
          const { browser, site } = started;
          const bytes = randomBytes(100_003);
          const url = await site.add("saved", filename, bytes);
          await browser.open(site.pageWith());
          await browser.evaluate(`(() => { const url = ${JSON.stringify(url)}; ${act} })()`);
          const saved = await takeSavedFile(browser, bytes.length);
          assert.equal(saved.name, filename);
          assert.ok(saved.bytes.equals(bytes), "other bytes were saved");
          await eventually(() => assert.equal(site.sent.length, site.announced.length));
          assert.deepEqual(
            site.announced.map(({ begins }) => begins),
            [true],
          );
        });
      }
    }
  });
}

/** What a script of the page does to have the file at the address `url` saved. */
const WAYS: [way: string, act: string][] = [
  [
    "a link",
    "document.body.append(Object.assign(document.createElement('a'), { href: url })); document.links[0].click();",
  ],
  [
    "a link whose download attribute has another name",
    "Object.assign(document.createElement('a'), { href: url, download: 'setup.exe' }).click();",
  ],
  ["location.href", "location.href = url;"],
  [
    "a hidden <iframe>",
    "document.body.append(Object.assign(document.createElement('iframe'), { hidden: true, src: url }));",
  ],
  [
    "a form whose target is an <iframe>",
    `document.body.innerHTML = '<iframe name="frame" hidden></iframe><form target="frame"></form>';
    Object.assign(document.forms[0], { action: url }).submit();`,
  ],
];
