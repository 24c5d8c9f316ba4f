import type { ChildProcess } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually, LONGEST_WAIT } from "../support/eventually.js";
import { type BrowserHome, launchAtHome } from "./browser-home.js";
import type { DrivenBrowser } from "./driven-browser.js";
import { connectMarionette, type Marionette } from "./marionette.js";

/** Starts a headless Firefox ESR. */
export function launchFirefox(): Promise<DrivenBrowser> {
  return launchAtHome(launch);
}

async function launch({ folder, downloads, start }: BrowserHome): Promise<DrivenBrowser> {
  const profile = join(folder, "profile");
  await mkdir(profile);
  const preferences = { ...ALONE, ...SAVE_UNASKED, "browser.download.dir": downloads };
  await writeFile(join(profile, "user.js"), Object.entries(preferences).map(preference));
  const args = ["--headless", "--no-remote", "--marionette", "--profile", profile];
  const firefox = start("firefox-esr", args, { env: { ...process.env, HOME: folder } });
  const marionette = await connectMarionette(await portOf(firefox, profile));
  const { capabilities } = (await marionette.send("WebDriver:NewSession", {
    timeouts: { script: LONGEST_WAIT },
  })) as Session;
  return {
    version: capabilities.browserVersion,
    downloads,
    ...driven(marionette),
    close: async () => marionette.end(),
  };
}

/** It talks to nobody but the test: whatever it would call at home has the address of loopback. */
const ALONE = {
  "network.dns.forceResolve": "127.0.0.1",
  "app.normandy.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.safebrowsing.downloads.remote.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  // Firefox's own choice for tests: no telemetry, no updates, no suggestions.
  "remote.prefs.recommended": true,
  "marionette.port": 0,
};

const SAVE_UNASKED = {
  "browser.download.folderList": 2,
  "browser.download.useDownloadDir": true,
  "browser.download.always_ask_before_handling_new_types": false,
};

interface Session {
  capabilities: { browserVersion: string };
}

function preference([name, value]: [string, unknown]): string {
  return `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`;
}

/** Firefox writes the port that it chose into its profile. */
async function portOf(firefox: ChildProcess, profile: string): Promise<number> {
  let port = 0;
  await eventually(async () => {
    if (firefox.exitCode === null) port = Number(await readFile(join(profile, "MarionetteActivePort"), "utf8"));
  });
  if (!port) throw new Error(`Firefox ended with ${firefox.exitCode} in place of starting.`);
  return port;
}

function driven({ send }: Marionette): Pick<DrivenBrowser, "open" | "evaluate" | "showsPdf"> {
  const evaluate = async (expression: string) => {
    const result = await send("WebDriver:ExecuteScript", { script: `return ${expression}`, args: [] });
    return (result as { value: unknown }).value;
  };
  return {
    open: async (url) => void (await send("WebDriver:Navigate", { url })),
    evaluate,
    showsPdf: async () => (await evaluate(`document.querySelectorAll("#viewer .page canvas").length`)) === 1,
  };
}
