/**
 * A text without what shows nothing: control characters, separators of lines, bidi controls, and characters without a width. Those stay that
 * shape the character before them, none of which turns the direction of text:
 *
 * - a joiner or non-joiner (U+200D, U+200C) after a letter or a mark of a script that needs it, such as Persian, Bengali or Sinhala, and
 *   Mongolian's vowel separator;
 * - a joiner between emoji, and the tags that make a flag of a black one (UTS #51);
 * - one variation selector, after anything but ASCII, or in a keycap.
 *
 * So what is in ASCII, such as an extension, is what it looks like.
 */
export function visibleText(text: string): string {
  return text.replace(HIDDEN, "$1");
}

/** All that shows nothing. Hangul's fillers are ignorable by name, but as wide as a letter. */
const NOTHING = String.raw`(?![\u115f\u1160\u3164\uffa0])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]`;

/** The scripts whose letters joiners shape: of those in wide use, the cursive ones and those with conjuncts (UAX #31, §2.3). */
const JOINING = [
  ...["Adlam", "Arabic", "Hanifi_Rohingya", "Mongolian", "Nko", "Syriac"],
  ...["Balinese", "Bengali", "Devanagari", "Gujarati", "Gurmukhi", "Javanese", "Kannada", "Khmer"],
  ...["Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Tibetan"],
]
  .map((script) => `\\p{Script_Extensions=${script}}`)
  .join("");

/** A letter or mark, and the variant of it that is chosen. */
const LETTER = String.raw`(?=[\p{L}\p{M}])(?!${NOTHING})[${JOINING}]\p{Variation_Selector}?`;

const SHAPING = [
  String.raw`(?<=${LETTER})[\u200c\u200d]`,
  String.raw`(?<=(?=\p{Script=Mongolian})${LETTER})\u180e`,
  String.raw`(?<=\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]?)\u200d(?=\p{Extended_Pictographic})`,
  // NFC makes ASCII of the three that are named, and of no other.
  String.raw`(?<=(?!${NOTHING})[^\x00-\x7f\s\u037e\u1fef\u212a])\p{Variation_Selector}`,
  String.raw`(?<=[0-9#*])\ufe0f(?=\u20e3)`,
].join("|");

const FLAG = String.raw`\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,6}\u{e007f}`;

const HIDDEN = new RegExp(`(${FLAG})|(?=${NOTHING})(?!${SHAPING})[^]`, "gu");
