import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { eventually } from "../support/eventually.js";
import { freePort } from "../support/free-port.js";
import { type BrowserHome, launchAtHome } from "./browser-home.js";
import type { DrivenBrowser } from "./driven-browser.js";
import { isReady, startSession, type WebDriverSession } from "./web-driver.js";

/** Starts WebKitGTK's own browser on a screen that nobody sees. */
export function launchWebKit(): Promise<DrivenBrowser> {
  return launchAtHome(launch);
}

async function launch(home: BrowserHome): Promise<DrivenBrowser> {
  const env = { ...(await environmentOf(home)), DISPLAY: await startScreen(home) };
  const port = await freePort();
  home.start("WebKitWebDriver", ["--host=127.0.0.1", `--port=${port}`], { env });
  const driver = `http://127.0.0.1:${port}`;
  await eventually(() => isReady(driver));
  const session = await startSession(driver);
  return {
    version: session.capabilities.browserVersion,
    downloads: home.downloads,
    ...driven(session),
    close: async () => void (await session.send("DELETE", "")),
  };
}

/** It keeps nothing outside its home, and talks to no desktop. */
async function environmentOf({ folder, downloads }: BrowserHome): Promise<NodeJS.ProcessEnv> {
  const config = join(folder, "config");
  await mkdir(config);
  await writeFile(join(config, "user-dirs.dirs"), `XDG_DOWNLOAD_DIR="${downloads}"\n`);
  return {
    ...process.env,
    HOME: folder,
    XDG_CONFIG_HOME: config,
    XDG_CACHE_HOME: join(folder, "cache"),
    XDG_DATA_HOME: join(folder, "data"),
    XDG_RUNTIME_DIR: folder,
    GDK_BACKEND: "x11",
    GSETTINGS_BACKEND: "memory",
    NO_AT_BRIDGE: "1",
  };
}

/** Starts an X server without a screen, and gives the name of the display that it chose. */
async function startScreen({ start }: BrowserHome): Promise<string> {
  const args = ["-displayfd", "3", "-nolisten", "tcp"];
  const server = start("Xvfb", args, { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const [display] = (await once(server.stdio[3] as Readable, "data")) as [Buffer];
  return `:${String(display).trim()}`;
}

function driven({ send }: WebDriverSession): Pick<DrivenBrowser, "open" | "evaluate" | "showsPdf"> {
  const evaluate = (expression: string) => send("POST", "/execute/sync", { script: `return ${expression}`, args: [] });
  return {
    open: async (url) => void (await send("POST", "/url", { url })),
    evaluate,
    // The viewer is a page of its own, in a frame.
    async showsPdf() {
      await send("POST", "/frame", { id: 0 });
      try {
        return (await evaluate(`document.querySelectorAll("#viewer .page canvas").length`)) === 1;
      } finally {
        await send("POST", "/frame", { id: null });
      }
    },
  };
}
