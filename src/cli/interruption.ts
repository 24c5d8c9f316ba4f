/** Runs something that Ctrl+C ends, and pressed once more the process. Returns `undefined` where it was ended. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  process.once("SIGINT", interrupt);
  try {
    return await work(abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    return undefined;
  } finally {
    process.removeListener("SIGINT", interrupt);
  }
}
