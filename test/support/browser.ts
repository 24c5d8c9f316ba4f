import { type Browser, chromium } from "playwright-core";
import { LONGEST_WAIT } from "./eventually.js";
import { without } from "./requirements.js";

/** The browser of this machine that the tests drive, if one is named. */
const executablePath = process.env.TEST_CHROMIUM;

/** Why the tests in a browser are skipped; `false` where they run. */
export const withoutBrowser: string | false = executablePath ? false : without("Chromium");

/**
 * Starts a headless Chromium that talks to nobody but the test.
 *
 * @throws Error when `TEST_CHROMIUM` is not set.
 */
export async function launchBrowser(): Promise<Browser> {
  if (!executablePath)
    throw new Error("TEST_CHROMIUM is not set. Give the path of a Chromium, e.g. /usr/bin/chromium.");
  const browser = await chromium.launch({ executablePath, args: QUIET, timeout: LONGEST_WAIT });
  browser.on("context", (context) => context.setDefaultTimeout(LONGEST_WAIT));
  return browser;
}

const QUIET = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Whatever it would call at home all the same has the address of loopback.
  "--host-resolver-rules=MAP * 127.0.0.1",
];
