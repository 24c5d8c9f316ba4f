import { type DetectedType, hasBase, mayLackSignature, typeOf } from "./formats.js";
import { utf16 } from "./text.js";

/** The library knows signatures. It takes some milliseconds to load, so it is loaded for columns that ask for types alone. */
const library = () => import("file-type");

/** How many of the first bytes tell the type: of an Office document, the names of its first parts. */
export const HEAD_BYTES = 65_536;

/**
 * The type of a file by its first bytes; `undefined` where they have no signature, as those of most texts.
 *
 * @param isText whether the bytes are those of a text, which may begin with the two to four letters that are some format's signature.
 */
export async function detectType(head: Uint8Array, isText: boolean): Promise<DetectedType | undefined> {
  const { fileTypeFromBuffer } = await library();
  // It may stumble over bytes that only begin like a format.
  const known = await fileTypeFromBuffer(head).catch(() => undefined);
  const { ext, mime } = corrected(head, known) ?? {};
  if (ext === undefined || mime === undefined) return undefined;
  if (isText && !TEXTS.test(ext)) return undefined;
  if (utf16(head) && !UTF16.test(ext)) return undefined;
  return { ext: ext.toLowerCase(), mime: mime.split(";", 1)[0]!.toLowerCase() };
}

/**
 * Whether files with an extension, given without its dot, begin with a signature.
 *
 * @param isText whether the bytes are those of a text; then they are not in a format that only sometimes has a signature, such as MP3.
 */
export async function hasSignature(extension: string, isText: boolean): Promise<boolean> {
  if (mayLackSignature(extension, isText)) return false;
  const { supportedExtensions, supportedMimeTypes } = await library();
  return (
    supportedExtensions.has(extension as never) ||
    supportedMimeTypes.has(typeOf(extension) as never) ||
    hasBase(extension)
  );
}

/** The formats with a signature that are written in letters alone, as far as the library knows them. */
const TEXTS = /^(?:pdf|e?ps|xml|rtf|stl|vcf|ics|vtt|reg|pgp)$/;

/** The formats that begin with the byte order mark of UTF-16. The library takes others for sound. */
const UTF16 = /^(?:xml|reg|skp)$/;

/** What the library takes for something else, by the extension that it gives, and what it does not know where the head is cut. */
const CORRECTIONS: [known: RegExp, bytes: RegExp, type: DetectedType][] = [
  // The 128 bytes before may be those of a TIFF image, for programs that read only those.
  [/^(?:tif)?$/, /^.{128}DICM/s, { ext: "dcm", mime: "application/dicom" }],
  [/^$/, /^(?:II\*|MM.\*)/s, { ext: "tif", mime: "image/tiff" }],
  [/^$/, /^ID3/, { ext: "mp3", mime: "audio/mpeg" }],
  [/^$/, /^(?:RF64|BW64).{4}WAVE/s, { ext: "wav", mime: "audio/wav" }],
  [/^$/, /^\s+%PDF-/, { ext: "pdf", mime: "application/pdf" }],
  [/^$/, /^caff/, { ext: "caf", mime: "audio/x-caf" }],
  [/^$/, /^AT&TFORM/, { ext: "djvu", mime: "image/vnd.djvu" }],
  [/^mp4$/, /^.{4}ftyp(?:he[iv][ms]|mif2)/s, { ext: "heic", mime: "image/heic" }],
  // These begin with a name or a title, which may be any letters.
  [/./, /^.{257}ustar/s, { ext: "tar", mime: "application/x-tar" }],
  [/./, /^.{60}BOOKMOBI/s, { ext: "mobi", mime: "application/x-mobipocket-ebook" }],
];

function corrected(head: Uint8Array, known: DetectedType | undefined): DetectedType | undefined {
  const start = Buffer.from(head.subarray(0, 512)).toString("latin1");
  const correction = CORRECTIONS.find(([ext, bytes]) => ext.test(known?.ext ?? "") && bytes.test(start));
  return correction?.[2] ?? known;
}
