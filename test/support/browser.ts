import { type Browser, chromium } from "playwright-core";

/** The browser of this machine that the tests drive, if one is named. */
const executablePath = process.env.TEST_CHROMIUM;

/** Why the browser tests don't run here, or `false` when they do. Where `REQUIRE_SERVERS` is set they run, and fail. */
export const skipWithoutBrowser: string | false =
  executablePath || process.env.REQUIRE_SERVERS ? false : "TEST_CHROMIUM names no Chromium to drive.";

/**
 * Starts a headless Chromium that talks to nobody but the test.
 *
 * @throws Error when `TEST_CHROMIUM` is not set.
 */
export async function launchBrowser(): Promise<Browser> {
  if (!executablePath)
    throw new Error("TEST_CHROMIUM is not set. Give the path of a Chromium, e.g. /usr/bin/chromium.");
  return chromium.launch({ executablePath, args: QUIET });
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
];
