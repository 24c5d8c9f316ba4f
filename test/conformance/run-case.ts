import { setTimeout as sleep } from "node:timers/promises";
import { type Case, Deviation } from "./case.js";
import type { Subject } from "./subject.js";

/**
 * Puts a case to a subject. Afterwards the subject can be asked the next one: a server that is dead or hangs is started anew.
 *
 * @throws Deviation when the subject is not right, or takes too long.
 */
export async function runCase(subject: Subject, one: Case): Promise<void> {
  const deadline = new AbortController();
  const check = one.check(subject);
  check.catch(() => {});
  try {
    await Promise.race([check, tooLate(one.deadline ?? 4000, deadline.signal)]);
    if (!subject.isAlive) throw new Deviation("process died", "The server's process died.");
  } catch (error) {
    if (await isWell(subject)) throw error;
    const died = !subject.isAlive;
    await subject.restart();
    throw died && error instanceof Deviation ? new Deviation("process died", error.message) : error;
  } finally {
    deadline.abort();
  }
}

async function tooLate(milliseconds: number, signal: AbortSignal): Promise<never> {
  await sleep(milliseconds, undefined, { signal });
  throw new Deviation("no answer", `There was no answer within ${milliseconds} ms.`);
}

/** Whether it still serves a file within a second. */
async function isWell(subject: Subject): Promise<boolean> {
  const served = async () => {
    const { url } = await subject.place({ content: "well" });
    return (await subject.ask(url)).body.toString() === "well";
  };
  return Promise.race([served().catch(() => false), sleep(1000, false)]);
}
