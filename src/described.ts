/** A value's type, for a message: `null`, `an array`, `a string`. Says nothing of what is in it, which a request may have chosen. */
export function described(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
