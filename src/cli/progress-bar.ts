import type { SweepProgress } from "../sweep/sweep-options.js";

const WIDTH = 30;
/** Milliseconds between two drawings. */
const PAUSE = 100;
const DOING = {
  rows: "rows read",
  objects: "files looked at",
  missing: "rows looked at again",
  orphans: "orphans looked at",
  verify: "files verified",
};

/** How far a sweep is, in the last line of a terminal. Draws nothing where standard error is none. */
export class ProgressBar {
  #drawnAt = Number.NEGATIVE_INFINITY;
  #isShown = false;

  /** Draws, unless it has just drawn. */
  show({ step, done, expected }: SweepProgress): void {
    if (!process.stderr.isTTY || performance.now() < this.#drawnAt + PAUSE) return;
    this.#drawnAt = performance.now();
    this.#isShown = true;
    const bar = expected ? `${barOf(Math.min(1, done / expected))} ` : "";
    const line = `${bar}${done.toLocaleString("en")} ${DOING[step]}`;
    process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
  }

  /** Makes room for a line of text. */
  erase(): void {
    if (this.#isShown) process.stderr.write("\r\x1b[K");
    this.#isShown = false;
  }
}

function barOf(part: number): string {
  const filled = Math.round(part * WIDTH);
  return `[${"#".repeat(filled)}${".".repeat(WIDTH - filled)}]`;
}
