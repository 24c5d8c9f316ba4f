import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { type BrowserHome, launchAtHome } from "./browser-home.js";
import type { DrivenBrowser } from "./driven-browser.js";

/** Starts the Chromium that `TEST_CHROMIUM` names. */
export function launchChromium(): Promise<DrivenBrowser> {
  return launchAtHome(launch);
}

async function launch({ downloads }: BrowserHome): Promise<DrivenBrowser> {
  const browser = await launchBrowser();
  const page = await browser.newPage();
  await saveTo(downloads, browser, page);
  return {
    version: browser.version(),
    downloads,
    open: async (url) => void (await page.goto(url)),
    evaluate: (expression) => page.evaluate(expression),
    // An extension shows it in a frame, which has the file in a frame of its own.
    async showsPdf() {
      const [, viewer, file] = page.frames().map((frame) => frame.url());
      return viewer?.startsWith("chrome-extension:") === true && file === page.url();
    },
    close: () => browser.close(),
  };
}

/** Playwright saves downloads under names of its own. Here Chromium chooses them, as it does for a person. */
async function saveTo(downloadPath: string, browser: Browser, page: Page): Promise<void> {
  const { targetInfo } = await (await page.context().newCDPSession(page)).send("Target.getTargetInfo");
  const { browserContextId } = targetInfo;
  const session = await browser.newBrowserCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", browserContextId, downloadPath });
}
