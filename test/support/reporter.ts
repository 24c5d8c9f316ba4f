import { inspect } from "node:util";

/** What of the events of `node:test` the report needs. */
interface TestEvent {
  type: string;
  data: {
    name: string;
    nesting: number;
    message: string;
    skip?: string | boolean;
    details?: { type?: string; duration_ms?: number; error?: Error & { failureType?: string } };
  };
}

/**
 * A reporter for `node:test` that is silent about what passes. It prints each failure in full, with what its file wrote to
 * standard error; then how many tests were skipped for which reason, and which files took longest; then the closing lines of the runner.
 */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const skipped = new Map<string, number>();
  const seconds = new Map<string, number>();
  const closing: string[] = [];
  let path: string[] = [];
  let output = "";
  for await (const { type, data } of events) {
    if (type === "test:start") {
      path = [...path.slice(0, data.nesting), data.name];
    } else if (type === "test:stderr" || type === "test:stdout") {
      output += data.message;
    } else if (type === "test:complete" && data.nesting === 0 && data.name.endsWith(".test.js")) {
      seconds.set(data.name, Math.round((data.details?.duration_ms ?? 0) / 1000));
    } else if (type === "test:diagnostic") {
      if (data.nesting === 0 && /^[a-z_]+ [\d.]+$/.test(data.message)) closing.push(`ℹ ${data.message}\n`);
    } else if (type === "test:fail") {
      if (data.details?.error?.failureType === "subtestsFailed") continue;
      yield failure([...path.slice(0, data.nesting), data.name], data);
      yield output;
      output = "";
    } else if (type === "test:pass" && data.skip && data.details?.type !== "suite") {
      const reason = typeof data.skip === "string" ? data.skip : "that this machine can't run";
      skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
    }
  }
  yield skips(skipped);
  yield slowest(seconds);
  yield* closing;
}

function failure(path: string[], { details }: TestEvent["data"]): string {
  const error = details?.error;
  return `✖ ${path.join(" › ")}\n${indented(inspect(error?.cause ?? error))}\n\n`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

function skips(skipped: Map<string, number>): string {
  if (skipped.size === 0) return "";
  const lines = [...skipped]
    .sort()
    .map(([reason, count]) => `  ${count} ${count === 1 ? "test" : "tests"} ${reason}\n`);
  return `Skipped (CONTRIBUTING.md says how to run them):\n${lines.join("")}`;
}

/** Long enough that a reader may want to know. */
const SLOW = 20;

function slowest(seconds: Map<string, number>): string {
  const slow = [...seconds].filter(([, duration]) => duration >= SLOW).sort((a, b) => b[1] - a[1]);
  if (slow.length === 0) return "";
  const lines = slow
    .slice(0, 20)
    .map(([file, duration]) => `  ${duration} s ${file.replace(/^.*dist[/]test[/]/, "")}\n`);
  return `Slowest files:\n${lines.join("")}`;
}
