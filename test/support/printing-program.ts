import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { LONGEST_WAIT } from "./eventually.js";
import { freePort } from "./free-port.js";

/** A program that serves at the address it printed. */
export interface PrintingProgram {
  url: string;
  /** Ends the program, and the programs that it started. */
  stop(): Promise<void>;
}

/** Starts a program in a folder, with a free port as `PORT`, and waits until it prints an address. */
export async function startProgram(
  [command, ...args]: [string, ...string[]],
  folder: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<PrintingProgram> {
  const program = spawn(command, args, {
    cwd: folder,
    env: { ...environment, PORT: String(await freePort()) },
    stdio: ["ignore", "pipe", "pipe"],
    // As the leader of a group, so that the programs that a shell starts end with it.
    detached: true,
  });
  const stop = async () => {
    if (program.exitCode !== null || program.signalCode !== null) return;
    process.kill(-program.pid!);
    await once(program, "close");
  };
  return { url: await addressOf(program).catch((error) => stop().then(() => Promise.reject(error))), stop };
}

/** The first address that a program prints. */
async function addressOf(program: ChildProcess): Promise<string> {
  let printed = "";
  for (const output of [program.stdout!, program.stderr!]) output.on("data", (chunk) => (printed += chunk));
  for (
    const deadline = Date.now() + LONGEST_WAIT;
    Date.now() < deadline && program.exitCode === null;
    await delay(50)
  ) {
    const url = /https?:\/\/\S+(?=\s)/.exec(printed)?.[0];
    if (url) return url;
  }
  throw new Error(`The program printed no address, but: ${printed}`);
}
