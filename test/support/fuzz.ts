import assert from "node:assert/strict";

/** How many inputs a property is tried with: as many as it needs, or `FUZZ_RUNS` where that is more. */
export function runs(needed: number): { numRuns: number } {
  return { numRuns: Math.max(needed, Number(process.env.FUZZ_RUNS) || 0) };
}

/** Long texts of the kinds that slow a parser down: one thing over and over, and something else at the end. */
export function* hostileTexts(...beginnings: string[]): Generator<string> {
  for (const beginning of beginnings) {
    for (const unit of UNITS) {
      for (const size of [4_000, 65_536]) {
        const text = beginning + unit.repeat(size / unit.length);
        yield text;
        yield `${text}!`;
      }
    }
  }
}

const UNITS = [
  ...[" ", "\t", ",", ", ", " ,\t", "0", "9", "-", "0-", "-9,", "0-0,", "0-0 ,", "5-4,", "bytes=", ":", "GMT"],
  ...['"', '""', "W/", 'W/"', '"a', '"a",', 'W/"a" ,', '" ', "*", "\u00ff", "\ud800", "\u0301", "\u200d", "😀"],
  ...["/", "//", "a/", "../", "\\", ".", ". ", "-.", "_", "%", "%4", "%41", "%e2%82%ac", "%ff", "a", "\0", "con"],
];

/**
 * Fails for a call that takes more milliseconds than the limit three times in a row. The time is the processor's: a busy machine holds up
 * any call, and what else runs in this process one of them at most.
 */
export function assertQuick(call: () => unknown, subject: string, limit = 50): void {
  for (let attempt = 1; ; attempt++) {
    const begin = process.cpuUsage();
    call();
    const { user, system } = process.cpuUsage(begin);
    const time = (user + system) / 1000;
    if (time < limit) return;
    assert.ok(attempt < 3, `${JSON.stringify(subject.slice(0, 40))}… took ${time} ms`);
  }
}
