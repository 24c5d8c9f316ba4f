/** An error in one sentence: drivers may put what matters into `code`, `errors` or `cause`. */
export function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === "") return error.errors.map(explained).join("; ");
  const message = error.message || ("code" in error ? String(error.code) : error.name);
  return error.cause === undefined ? message : `${message} (${explained(error.cause)})`;
}
