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
