import { setTimeout as sleep } from "node:timers/promises";

/** Waits, for four seconds at most, until a check no longer throws. */
export async function eventually(check: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await check();
    } catch (error) {
      if (tries >= 200) throw error;
      await sleep(20);
    }
  }
}
