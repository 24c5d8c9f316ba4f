import { setImmediate } from "node:timers/promises";

/** The warnings of this package that the process emits while something runs. */
export async function warningsWhile(run: () => unknown): Promise<{ code: string; message: string }[]> {
  const warnings: { code: string; message: string }[] = [];
  const note = (warning: Error & { code?: string }) => {
    if (warning.name === "PrivateFileWarning") warnings.push({ code: warning.code!, message: warning.message });
  };
  process.on("warning", note);
  try {
    await run();
    // The process emits them in a later tick.
    await setImmediate();
  } finally {
    process.removeListener("warning", note);
  }
  return warnings;
}

/** Runs something as in production. */
export async function inProduction<T>(run: () => Promise<T>): Promise<T> {
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = "production";
  try {
    return await run();
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}
