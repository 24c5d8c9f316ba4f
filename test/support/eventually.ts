import { setTimeout as sleep } from "node:timers/promises";

/** Waits, for some seconds at most, until a check no longer throws. */
export async function eventually(check: () => Promise<void>, seconds = 4): Promise<void> {
  for (const deadline = performance.now() + seconds * 1000; ; ) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
}
