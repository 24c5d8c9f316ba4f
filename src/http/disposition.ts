import { extensionOf, shortened } from "./name/shortened-name.js";
import { visibleText } from "./name/visible-text.js";
import { percentEncoded } from "./percent-encoding.js";

/**
 * The `Content-Disposition` of a download (RFC 6266), in printable ASCII only, whatever the name.
 *
 * `filename` is always there, quoted, in ASCII that no client reads in a second way: accents are taken off, and `_`
 * stands for what ASCII lacks, for what Windows forbids and for what some browsers decode. `filename*` (RFC 8187) comes
 * with it when the name differs from that, and has the name in full; all browsers prefer it. Never throws.
 *
 * @example
 * contentDisposition("Ünï.pdf", "attachment"); // attachment; filename="Uni.pdf"; filename*=UTF-8''%C3%9Cn%C3%AF.pdf
 *
 * @param name The name to offer; it goes through {@link downloadName}.
 * @param type `attachment` has the browser save the file, `inline` lets it show the file.
 */
export function contentDisposition(name: string, type: "attachment" | "inline"): string {
  const safeName = downloadName(name);
  const fallback = asciiName(safeName);
  const extended = fallback === safeName ? "" : `; filename*=UTF-8''${percentEncoded(safeName)}`;
  return `${type}; filename="${fallback}"${extended}`;
}

/**
 * Makes a name that is safe to offer for saving on every system, and changes it as little as that allows.
 *
 * - The last segment of a path counts, with `/` and `\` alike; the result is in NFC and well-formed (U+FFFD for a lone surrogate).
 * - Control characters, line separators, bidi controls and what else shows nothing are removed, unless it shapes the character before it;
 *   so is white space at both ends, and dots at the end.
 * - `:` becomes `_`, since on Windows it names a drive or a hidden stream. `"<>|?*` stay: browsers replace them where
 *   the system wants it, and elsewhere they are part of the name.
 * - `_` goes before a leading dot (a hidden file), a leading `-` (an option, for `rm *`), and a device of Windows
 *   (`CON`, `nul.txt`, `COM¹`). `~` and `$` may lead: they mean something only to a shell, and only when typed.
 * - At most 255 bytes of UTF-8, cut between graphemes, with the extension kept if it has 16 characters or fewer.
 * - `download` when nothing is left.
 *
 * Safe names come back as they are. Takes the same time for a name of any length. Never throws.
 */
export function downloadName(name: string): string {
  const visible = visibleText(ends(name).replace(/\p{Surrogate}/gu, "\ufffd"));
  const segment = visible.split(/[/\\]/).findLast((part) => part !== "") ?? "";
  const composed = boundLength(trimEnd(segment.trimStart())).normalize("NFC").replaceAll(":", "_");
  // The cut may lay bare a device's name, and the prefix may call for another cut.
  return cut(withPrefix(cut(composed))) || "download";
}

/** What can count of a name that is longer than any path: its end, or the beginning and the end of its last segment. */
function ends(name: string): string {
  if (name.length <= LONGEST_PATH) return name;
  const end = name.slice(-LONGEST_PATH / 2);
  if (/[/\\]/.test(end)) return end;
  const start = Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1;
  return name.slice(start, start + LONGEST_PATH / 2) + end;
}

/** In UTF-16 units. */
const LONGEST_PATH = 2 ** 20;

/** A regex such as /[.\s]+$/ would take quadratic time over a run of dots that something follows. */
function trimEnd(name: string): string {
  let end = name.length;
  while (end > 0 && /[.\s]/.test(name.charAt(end - 1))) end--;
  return name.slice(0, end);
}

/**
 * Normalising takes quadratic time over a run of combining marks, so it gets no more than can count: what composes to
 * 255 bytes is never longer than 510 UTF-16 units.
 */
function boundLength(name: string): string {
  return name.length <= 1024 ? name : name.slice(0, 1024) + extensionOf(name);
}

/** The limit of nearly all file systems, in bytes. */
const MAX_BYTES = 255;

/** What is laid bare by a cut may be white space or a dot. */
function cut(name: string): string {
  const short = shortened(name, { bytes: MAX_BYTES });
  return short === name ? name : trimEnd(short);
}

/** Windows takes these for devices in any folder, whatever extension follows. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)/i;

function withPrefix(name: string): string {
  return /^[.-]/.test(name) || DEVICE.test(name) ? `_${name}` : name;
}

function asciiName(name: string): string {
  const ascii = name
    .normalize("NFKD")
    .replace(/\p{Mark}|\p{Default_Ignorable_Code_Point}/gu, "")
    .replace(/[^ -~]/gu, "_")
    // Simple clients take a quote, a backslash or a semicolon for the end of the name, and =?...?= for RFC 2047.
    .replace(/["\\;/<>|?*]/g, "_")
    // Chrome decodes %41 in a plain filename.
    .replace(/%(?=[0-9a-f]{2})/gi, "_");
  // NFKD can bring forth what was not there before: dots, CON, and eighteen letters for one.
  return downloadName(ascii);
}
