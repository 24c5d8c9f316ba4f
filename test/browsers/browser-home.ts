import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DrivenBrowser } from "./driven-browser.js";

/** What a browser has on this machine: a temporary folder as its home, and its processes. */
export interface BrowserHome {
  folder: string;
  /** A folder in it for what the browser saves. */
  downloads: string;
  /** Starts a process that ends with the browser. */
  start(command: string, args: string[], options?: SpawnOptions): ChildProcess;
}

/** Starts a browser in a home of its own. The home goes when the browser is closed, or does not start. */
export async function launchAtHome(launch: (home: BrowserHome) => Promise<DrivenBrowser>): Promise<DrivenBrowser> {
  const folder = await mkdtemp(join(tmpdir(), "private-files-browser-"));
  const processes: ChildProcess[] = [];
  const leave = async () => {
    for (const process of processes.reverse()) await stop(process);
    // What a browser's own children write while they end would keep the folder from being removed.
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  };
  try {
    const downloads = join(folder, "downloads");
    await mkdir(downloads);
    const start: BrowserHome["start"] = (command, args, options = {}) => {
      const child = spawn(command, args, { stdio: "ignore", ...options });
      processes.push(child);
      return child;
    };
    const browser = await launch({ folder, downloads, start });
    return {
      ...browser,
      async close() {
        try {
          await browser.close();
        } finally {
          await leave();
        }
      },
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

async function stop(process: ChildProcess): Promise<void> {
  if (process.pid === undefined || process.exitCode !== null || process.signalCode !== null) return;
  const closed = once(process, "close");
  process.kill();
  await closed;
}
