/** What a name may have at most. */
export interface NameLimits {
  /** Characters, as databases count them: code points of Unicode. (default: any number) */
  characters?: number;
  /** Bytes of UTF-8. (default: any number) */
  bytes?: number;
}

/**
 * A name that is cut to limits: before its extension, and between graphemes. Where not even one character and the extension fit, it is the
 * beginning of the name. A name that fits comes back as it is. Takes a time that grows with the name's length and no faster.
 */
export function shortened(
  name: string,
  { characters = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY }: NameLimits,
): string {
  if (fits(name, characters, bytes)) return name;
  const extension = extensionOf(name);
  const stem = name.slice(0, name.length - extension.length);
  const room = { characters: characters - [...extension].length, bytes: bytes - Buffer.byteLength(extension) };
  return room.characters < 1 || room.bytes < 1
    ? firstGraphemes(name, characters, bytes)
    : firstGraphemes(stem, room.characters, room.bytes) + extension;
}

/** The extension of a name with its dot, or both of `.tar.gz` and the like; nothing for a name that only starts with a dot. */
export function extensionOf(name: string): string {
  return EXTENSION.exec(name.slice(1))?.[0] ?? "";
}

/** As much of a text as is within both limits, cut between graphemes. */
export function firstGraphemes(text: string, characters: number, bytes: number): string {
  let end = 0;
  for (const character of text) {
    characters -= 1;
    bytes -= Buffer.byteLength(character);
    if (characters < 0 || bytes < 0) break;
    end += character.length;
  }
  if (end === text.length) return text;
  // To go through all segments would copy the text for each of them.
  return text.slice(0, new Intl.Segmenter("en").segment(text).containing(end)!.index);
}

const EXTENSION = /(?:\.tar)?\.[^\s.]{1,16}$/iu;

function fits(name: string, characters: number, bytes: number): boolean {
  return Buffer.byteLength(name) <= bytes && (name.length <= characters || [...name].length <= characters);
}
