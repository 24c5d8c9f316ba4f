import { once } from "node:events";

// Whoever reads the output may have seen enough, as `head` has. What is under way goes on to its end.
process.stdout.on("error", () => {});

/** Writes a line to standard output, and waits where the reader is slower. */
export async function print(line: string): Promise<void> {
  const { stdout } = process;
  if (stdout.writable && !stdout.write(`${line}\n`)) await once(stdout, "drain").catch(() => {});
}

/** Writes a value as a line of JSON. */
export async function printJson(value: object): Promise<void> {
  await print(toJson(value));
}

/** A value as JSON, in which large integers are texts. */
export function toJson(value: object): string {
  return JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part));
}
