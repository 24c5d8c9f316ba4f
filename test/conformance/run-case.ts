import { setTimeout as sleep } from "node:timers/promises";
import { LONGEST_WAIT } from "../support/eventually.js";
import { type Case, Deviation } from "./case.js";
import type { Subject } from "./subject.js";

/**
 * Puts a case to a subject. Afterwards the subject can be asked the next one: a server that is dead or hangs is started anew.
 *
 * @param patience how many milliseconds the subject may take.
 * @throws Deviation when the subject is not right, or takes too long.
 */
export async function runCase(subject: Subject, one: Case, patience = LONGEST_WAIT): Promise<void> {
  const ended = new AbortController();
  const check = one.check(subject);
  check.catch(() => {});
  try {
    await Promise.race([check, tooLate(subject, patience, ended.signal)]);
    if (!subject.isAlive) throw new Deviation("process died", "The server's process died.");
  } catch (error) {
    if (await isWell(subject)) throw error;
    const died = !subject.isAlive;
    await subject.restart();
    throw died && error instanceof Deviation ? new Deviation("process died", error.message) : error;
  } finally {
    ended.abort();
  }
}

async function tooLate(subject: Subject, patience: number, signal: AbortSignal): Promise<never> {
  await sleep(patience, undefined, { signal });
  const message = `There was no answer within ${patience} ms.`;
  throw new Deviation((await isWell(subject)) ? "no answer" : "process hangs", message);
}

/** Whether it still serves a file within some seconds. */
async function isWell(subject: Subject): Promise<boolean> {
  const served = async () => {
    const { url } = await subject.place({ content: "well" });
    return (await subject.ask(url)).body.toString() === "well";
  };
  return Promise.race([served().catch(() => false), sleep(5000, false, { ref: false })]);
}
