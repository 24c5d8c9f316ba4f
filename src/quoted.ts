/**
 * A text from outside as it may stand in a message: in quotes, and with every character encoded that could break a line
 * of a log, colour it, or turn its direction.
 */
export function quoted(text: string): string {
  return visible(JSON.stringify(text));
}

/** A text with every character encoded that could break a line, colour it, or turn its direction. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** A value as a message shows it: texts in quotes and cut, numbers and booleans as they are, and the type of all else. */
export function shown(value: unknown): string {
  if (typeof value === "string") return quoted(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return Array.isArray(value) ? "an array" : "an object";
  } catch {
    return "an object that can't be read";
  }
}
