import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Browser, BrowserContext, Download, Page } from "playwright-core";
import { launchBrowser, withoutBrowser } from "../support/browser.js";
import { eventually } from "../support/eventually.js";
import { after, afterEach, before, beforeEach, describe, it } from "../support/suite.js";
import { type RunningSite, startSite } from "./running-site.js";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

describe("the example site in a browser", { skip: withoutBrowser }, () => {
  const pdf = Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(1_500_000)]);
  let browser: Browser;
  let site: RunningSite;
  let context: BrowserContext;
  let page: Page;
  let errors: unknown[];

  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    site = await startSite();
    errors = [];
    await openBrowser(true);
  });
  afterEach(async () => {
    await context.close();
    await site.stop();
    assert.deepEqual(errors, [], "a script of the page failed, or its policy stopped something");
  });

  async function openBrowser(javaScriptEnabled: boolean): Promise<void> {
    context = await browser.newContext({ javaScriptEnabled, baseURL: site.url });
    page = await context.newPage();
    page.on("pageerror", (error) => errors.push(error));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) errors.push(message.text());
    });
  }

  async function signIn(name: string): Promise<void> {
    await page.goto("/sign-in");
    await page.getByRole("button", { name }).click();
    await page.getByText(`Signed in as ${name}`).waitFor();
  }

  function section(name: "Submissions" | "Downloads") {
    return page.getByRole("region", { name, exact: true });
  }

  async function uploadByForm(name: "Submissions" | "Downloads", filename: string, description = ""): Promise<void> {
    const file = { name: filename, mimeType: "application/pdf", buffer: pdf };
    await section(name).getByLabel("Files").setInputFiles(file);
    await section(name).getByLabel("Description").fill(description);
    await section(name).getByRole("button", { name: "Upload" }).click();
  }

  /** Drops files of one text each on the upload form, as a drag from the desktop does. */
  async function drop(name: "Submissions" | "Downloads", filenames: string[]): Promise<void> {
    const dataTransfer = await page.evaluateHandle(`(() => {
      const transfer = new DataTransfer();
      for (const name of ${JSON.stringify(filenames)}) transfer.items.add(new File(["the text of " + name], name));
      return transfer;
    })()`);
    const form = section(name).locator("form[data-upload]");
    for (const type of ["dragenter", "dragover", "drop"]) await form.dispatchEvent(type, { dataTransfer });
  }

  async function download(name: RegExp): Promise<{ filename: string; bytes: Buffer }> {
    const started = page.waitForEvent("download");
    await page.getByRole("link", { name }).click();
    const file: Download = await started;
    return { filename: file.suggestedFilename(), bytes: await readFile(await file.path()) };
  }

  it("uploads a file by the form, shows how far it is, lists it and gives it back to its owner", async () => {
    await signIn("Alice");
    const network = await context.newCDPSession(page);
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400_000 };
    await network.send("Network.emulateNetworkConditions", slow);
    await uploadByForm("Submissions", "Prüfbericht 2026.pdf", "The report");
    const bar = page.getByRole("progressbar", { name: "Prüfbericht 2026.pdf" });
    const share = () => bar.evaluate((element) => (element as unknown as { value: number }).value);
    while ((await share()) === 0) await page.waitForTimeout(20);
    assert.ok((await share()) < 1, "it jumped to its end");
    await section("Submissions").getByText("The report").waitFor();
    await page.locator("progress").waitFor({ state: "detached" });
    assert.equal(await section("Submissions").getByRole("status").textContent(), "Uploaded Prüfbericht 2026.pdf.");

    const { filename, bytes } = await download(/^Download Prüfbericht/);
    assert.equal(filename, "Prüfbericht 2026.pdf");
    assert.ok(bytes.equals(pdf), "other bytes came back");
  });

  it("uploads several files that are dropped, one after another", async () => {
    await signIn("Alice");
    await drop("Submissions", ["first.txt", "second.txt"]);
    await section("Submissions").locator(".description", { hasText: "second.txt" }).waitFor();
    await page.locator(".under-way li").first().waitFor({ state: "detached" });
    const listed = await section("Submissions").locator(".description").allTextContents();
    assert.deepEqual(listed, ["second.txt", "first.txt"]);
    const { bytes } = await download(/^Download first\.txt/);
    assert.equal(String(bytes), "the text of first.txt");
  });

  it("says why an upload failed, and lets it be dismissed", async () => {
    await signIn("Alice");
    await context.clearCookies();
    await uploadByForm("Submissions", "late.pdf");
    await page.getByText("Sign in first.", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Dismiss" }).click();
    assert.equal(await page.locator(".under-way li").count(), 0);
  });

  it("keeps a file that was refused, to try it again, and says each time why", async () => {
    await signIn("Alice");
    const form = section("Submissions").getByRole("form", { name: "Upload submissions" });
    const status = form.getByRole("status");
    const announced: (string | null)[] = [];
    await section("Submissions")
      .getByLabel("Files")
      .setInputFiles({ name: "page.html", mimeType: "text/html", buffer: Buffer.from("<html>") });
    await section("Submissions").getByRole("button", { name: "Upload" }).click();
    const again = page.getByRole("button", { name: "Try again" });
    for (let attempt = 0; attempt < 2; attempt++) {
      await again.waitFor();
      assert.equal(await again.evaluate((button) => button === button.ownerDocument.activeElement), true);
      await page.waitForTimeout(200);
      announced.push(await status.textContent());
      if (attempt === 0) {
        await page.evaluate(`(() => {
          const status = document.querySelector("#submission-file").form.querySelector("[role=status]");
          window.changes = 0;
          new MutationObserver(() => window.changes++).observe(status, { childList: true });
        })()`);
        await again.click();
      }
    }
    assert.match(announced[0]!, /^page\.html: page\.html is of another type/);
    assert.equal(announced[1], announced[0]);
    // A screen reader says what changes.
    assert.ok(Number(await page.evaluate("window.changes")) >= 2);
    await page.getByRole("button", { name: "Dismiss" }).click();
    assert.equal(await page.evaluate("document.activeElement.id"), "submission-file");
  });

  it("shows a refused form again without a script, and leads to what is wrong", async () => {
    await context.close();
    await openBrowser(false);
    await signIn("Alice");
    await section("Submissions").getByLabel("Description").fill("What I typed");
    await section("Submissions")
      .getByLabel("Files")
      .setInputFiles({ name: "page.html", mimeType: "text/html", buffer: Buffer.from("<html>") });
    await section("Submissions").getByRole("button", { name: "Upload" }).click();
    await page.getByRole("alert").getByText("page.html is of another type").waitFor();
    assert.equal(await section("Submissions").getByLabel("Description").inputValue(), "What I typed");
    assert.equal(await page.locator("#submission-file:focus").count(), 1);
  });

  it("replaces and deletes a file, and fits a narrow screen, with a preview of an image", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    await signIn("Alice");
    await section("Submissions")
      .getByLabel("Files")
      .setInputFiles({ name: `${"a-long-name-".repeat(8)}.png`, mimeType: "image/png", buffer: PNG });
    await section("Submissions").getByRole("button", { name: "Upload" }).click();
    const preview = section("Submissions").locator("img.kind");
    await preview.waitFor();
    const isLoaded = () => preview.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth > 0);
    await eventually(async () => assert.ok(await isLoaded()));
    await page.getByText("Change").click();
    await drop("Submissions", [`${"refused-".repeat(9)}.html`]);
    await page.getByRole("button", { name: "Try again" }).waitFor();
    const width = "document.documentElement.scrollWidth";
    assert.ok(Number(await page.evaluate(width)) <= 320, `${await page.evaluate(width)} pixels wide`);
    const cards = await page
      .locator(".card")
      .evaluateAll((all) => all.map((card) => [card.scrollWidth, card.clientWidth]));
    for (const [scrollWidth, clientWidth] of cards) assert.ok(scrollWidth! <= clientWidth!, String(cards));
    await page
      .getByLabel(/^New file for/)
      .setInputFiles({ name: "new.txt", mimeType: "text/plain", buffer: Buffer.from("new") });
    await page.getByRole("button", { name: "Replace" }).click();
    await page.getByText("is now new.txt.").waitFor();
    assert.equal(await page.locator(".notice:focus").count(), 1);
    await page.getByText("Change").click();
    await page.getByRole("button", { name: "Delete" }).click();
    await section("Submissions").getByText("Nothing here yet").waitFor();
  });

  it("refuses someone else with a page that says so, and a way back", async () => {
    await signIn("Alice");
    await uploadByForm("Submissions", "report.pdf");
    await page.getByRole("link", { name: "Download report.pdf" }).waitFor();
    await signIn("Bob");
    await page.getByRole("link", { name: "Try to download report.pdf" }).click();
    await page.getByRole("heading", { name: "You may not open this" }).waitFor();
    await page.getByText("You are signed in as Bob").waitFor();
    await page.getByRole("link", { name: "Back to the files" }).click();
    await page.getByText("only Alice").waitFor();
  });

  it("counts a download on the page, without a reload", async () => {
    await signIn("Alice");
    await uploadByForm("Downloads", "handbook.pdf");
    await section("Downloads").getByText("0 downloads").waitFor();
    for (const count of ["1 download", "2 downloads"]) {
      const { bytes } = await download(/^Download handbook/);
      assert.ok(bytes.equals(pdf), "other bytes came back");
      await section("Downloads").getByText(count, { exact: true }).waitFor();
    }
  });

  it("shows a name that looks like markup as the name that it is", async () => {
    await signIn("Alice");
    const name = `<img src=x onerror="document.title='broken into'">.txt`;
    await drop("Downloads", [name]);
    await section("Downloads").locator(".description", { hasText: name }).waitFor();
    assert.equal(await page.locator("main img").count(), 0);
    assert.doesNotMatch(await page.title(), /broken into/);
  });

  it("does the same without a script", async () => {
    await context.close();
    await openBrowser(false);
    await signIn("Alice");
    await uploadByForm("Downloads", "plain.pdf", "Without a script");
    await page.getByText("Uploaded plain.pdf.").waitFor();
    const { filename, bytes } = await download(/^Download plain/);
    assert.equal(filename, "plain.pdf");
    assert.ok(bytes.equals(pdf), "other bytes came back");
    await page.reload();
    await section("Downloads").getByText("1 download", { exact: true }).waitFor();
    await uploadByForm("Submissions", "mine.pdf");
    await signIn("Bob");
    await page.getByRole("link", { name: "Try to download mine.pdf" }).click();
    await page.getByRole("heading", { name: "You may not open this" }).waitFor();
  });
});
