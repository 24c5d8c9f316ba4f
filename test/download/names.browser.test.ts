import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { launchBrowser, withoutBrowser } from "../support/browser.js";
import { FILE_NAMES } from "../support/file-names.js";
import { after, before, describe, it } from "../support/suite.js";

@Entity()
class Parcel {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Parcel>({ condition: () => true, filename: ({ id }) => FILE_NAMES[id - 1]![0] })
  file!: PrivateFile;
}

describe("the name that a browser saves a file under", { skip: withoutBrowser }, () => {
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  let application: Application;
  let page: Page;
  let urls: string[];

  before(async () => {
    browser = await launchBrowser();
    application = await startApplication({
      entities: [Parcel],
      before: (app) =>
        app.use(async (ctx, next) => {
          if (ctx.path === "/") ctx.body = "<!doctype html>";
          else await next();
        }),
    });
    urls = await saveAll(application);
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${application.port}/`);
  });
  after(async () => {
    await browser?.close();
    await application?.close();
  });

  it("is the one that is offered, but for the characters that the browser replaces", async () => {
    const saved: string[] = [];
    for (const url of urls) saved.push(await visit(page, url));
    assert.deepEqual(
      saved,
      FILE_NAMES.map(([, offered]) => chromiumName(offered)),
    );
  });

  it("is not up to the page that links to the file", async () => {
    assert.equal(await follow(page, urls[0]!, "setup.bat"), "report.pdf");
  });
});

/** What a browser calls the file at an address that is typed in. */
async function visit(page: Page, path: string): Promise<string> {
  const started = page.waitForEvent("download");
  // Nothing is shown in place of a file that is saved, which a visit counts as a failure.
  await page.goto(new URL(path, page.url()).href).catch(() => {});
  return (await started).suggestedFilename();
}

/** What a browser calls the file behind a link of its own site, which says what to call it. */
async function follow(page: Page, url: string, suggestion: string): Promise<string> {
  const started = page.waitForEvent("download");
  await page.evaluate(`{
    const link = document.createElement("a");
    link.href = ${JSON.stringify(url)};
    link.download = ${JSON.stringify(suggestion)};
    link.click();
  }`);
  return (await started).suggestedFilename();
}

/** Chromium replaces what Windows forbids, a tilde in front, what is no character and what shows nothing, joiners too. It takes no name of underscores only. */
function chromiumName(offered: string): string {
  const name = offered.replace(/["<>|?*]|^~|\p{Noncharacter_Code_Point}|\p{Cf}/gu, "_");
  return /^[_-]+$/.test(name) ? "download" : name;
}

async function saveAll({ dataSource, files }: Application): Promise<string[]> {
  const parcels = FILE_NAMES.map(() => dataSource.manager.create(Parcel, {}));
  for (const parcel of parcels) await files.attach(parcel, "file", Buffer.from("bytes"), { filename: "download" });
  await dataSource.manager.save(parcels);
  return parcels.map((parcel) => files.url(parcel, "file"));
}
