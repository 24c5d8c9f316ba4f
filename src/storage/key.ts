import * as crypto from "node:crypto";
import { described } from "../described.js";
import { InvalidKeyError } from "../errors.js";
import { extensionOf, firstGraphemes } from "../http/name/shortened-name.js";
import { quoted } from "../quoted.js";

/** What file systems allow a name, in bytes of UTF-8. */
const SEGMENT_BYTES = 255;
/** What object stores allow a key, in bytes of UTF-8. */
const KEY_BYTES = 1024;
/** What {@link portableName} leaves of a name: room for what backups and archives add. */
const NAME_BYTES = 100;
/** More UTF-16 units than {@link NAME_BYTES} can come from, whatever NFC composes. */
const HEAD_UNITS = 1024;
/** More UTF-16 units than the longest extension has. */
const TAIL_UNITS = 64;

const RANDOM_LENGTH = 25;
const CHECK_LENGTH = 5;
const SEGMENT_LENGTH = RANDOM_LENGTH + CHECK_LENGTH;
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])(?:\.|$)/i;

/**
 * Makes sure that a key names something inside a storage, and the same thing in every storage. Nothing is decoded:
 * `..%2fx` and `100%.pdf` are names like any other.
 *
 * @throws InvalidKeyError for all but a relative path of well-formed text: no empty, `.` or `..` segment, no control
 * character or backslash, no Windows drive, at most 255 bytes a segment and 1024 bytes in all.
 */
export function assertKey(key: unknown): asserts key is string {
  refuse("Key", key, whatIsWrong(key));
}

/**
 * Makes sure that keys may start with `prefix`: a key, or one cut off anywhere, even in mid-segment or before its start.
 *
 * @throws InvalidKeyError when no key that {@link assertKey} lets through can start so.
 */
export function assertPrefix(prefix: unknown): asserts prefix is string {
  if (prefix === "") return;
  const asKey = whatIsWrong(prefix);
  if (asKey === undefined) return;
  refuse("Prefix", prefix, typeof prefix === "string" ? whatIsWrong(`${prefix}x`) : asKey);
}

/**
 * The last segment of a key, made of the name that an upload came with, so that no front server, store or file system
 * reads it in two ways: in NFC, with letters and digits of any script, `.`, `-` and `_`; all else becomes `_`. It does
 * not start with `.` or `-`, nor end with `.`, has at most 100 bytes, and keeps its extension. Never empty.
 *
 * A portable name comes back as it is. Takes the same time for a name of any length.
 *
 * @param characters how many characters the name may have. More are left only where one and the extension are more.
 * (default: no limit but that of bytes)
 */
export function portableName(filename: string, characters = NAME_BYTES): string {
  const name = withoutDevice(
    ends(baseName(filename))
      .normalize("NFC")
      .replace(/[\s.]+$/u, "")
      .replace(/[^\p{L}\p{N}\p{M}._-]|\p{Default_Ignorable_Code_Point}/gu, "_")
      .replace(/(?<=^|[._-])\p{M}+/gu, "_")
      .replace(/^[.-]+/, ""),
  );
  // The cut may lay bare a device's name, and what then guards it may call for another cut.
  return shortened(withoutDevice(shortened(name, characters)), characters);
}

/**
 * A segment that nobody can guess and that no two uploads share: 128 random bits, and a check by which the segment is known
 * for one of ours; 30 characters of `a-z0-9`.
 */
export function randomSegment(): string {
  const random = BigInt(`0x${crypto.randomBytes(16).toString("hex")}`)
    .toString(36)
    .padStart(RANDOM_LENGTH, "0");
  return random + checkOf(random);
}

/** Whether {@link randomSegment} made a segment. Another program's is taken for one in one of 60 million cases, if it looks alike. */
export function isRandomSegment(segment: string): boolean {
  return (
    segment.length === SEGMENT_LENGTH &&
    /^[0-9a-z]+$/.test(segment) &&
    checkOf(segment.slice(0, RANDOM_LENGTH)) === segment.slice(RANDOM_LENGTH)
  );
}

/** Whether this package wrote an object, by its key: the segment before the last one is a {@link randomSegment}. */
export function isOurs(key: string): boolean {
  const end = key.lastIndexOf("/");
  return end >= SEGMENT_LENGTH && isRandomSegment(key.slice(key.lastIndexOf("/", end - 1) + 1, end));
}

function checkOf(random: string): string {
  const digest = crypto.hash("sha256", `typeorm-private-files\0${random}`, "hex");
  return (Number.parseInt(digest.slice(0, 12), 16) % 36 ** CHECK_LENGTH).toString(36).padStart(CHECK_LENGTH, "0");
}

function refuse(what: string, key: unknown, problem: string | undefined): void {
  if (problem === undefined) return;
  const shown = typeof key === "string" ? ` ${quoted(key.slice(0, 100))}` : "";
  throw new InvalidKeyError(`${what}${shown}: ${problem}. Give a relative path such as "uploads/report.pdf".`, key);
}

function whatIsWrong(key: unknown): string | undefined {
  if (typeof key !== "string") return `must be a string, got ${described(key)}`;
  if (key === "") return "it is empty";
  if (Buffer.byteLength(key) > KEY_BYTES) return `it is longer than ${KEY_BYTES} bytes`;
  if (/\p{Cs}/u.test(key)) return "it has one half of a surrogate pair";
  if (/\p{Cc}/u.test(key)) return "it has a control character";
  if (key.includes("\\")) return "it has a backslash, which separates folders on some systems only";
  if (key.startsWith("/") || /^[a-z]:/i.test(key)) return "it is absolute";
  for (const segment of key.split("/")) {
    if (segment === "") return "it has an empty segment";
    if (segment === "." || segment === "..") return `it has the segment "${segment}"`;
    if (Buffer.byteLength(segment) > SEGMENT_BYTES) return `it has a segment longer than ${SEGMENT_BYTES} bytes`;
  }
  return undefined;
}

function baseName(filename: string): string {
  return filename.slice(Math.max(filename.lastIndexOf("/"), filename.lastIndexOf("\\")) + 1);
}

/** What of a name can reach the result. Normalising megabytes of combining marks would take quadratic time. */
function ends(name: string): string {
  return name.length > HEAD_UNITS + TAIL_UNITS ? name.slice(0, HEAD_UNITS) + name.slice(-TAIL_UNITS) : name;
}

/** Windows opens a device for `NUL.txt` in any folder. */
function withoutDevice(name: string): string {
  return WINDOWS_DEVICE.test(name) ? `_${name}` : name;
}

function shortened(name: string, characters: number): string {
  const extension = extensionOf(name);
  const room = Math.max(1, characters - [...extension].length);
  const bytes = NAME_BYTES - Buffer.byteLength(extension);
  const stem = firstGraphemes(name.slice(0, name.length - extension.length), room, bytes);
  return ((stem || "file".slice(0, room)) + extension).replace(/\.+$/, "");
}
