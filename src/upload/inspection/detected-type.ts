import type { DetectedType } from "./accept.js";

/** The library knows signatures. It takes some milliseconds to load, so it is loaded for columns that ask for types alone. */
const library = () => import("file-type");

/** How many of the first bytes tell the type: of an Office document, the names of its first parts. */
export const HEAD_BYTES = 65_536;

/** The type of a file by its first bytes; `undefined` where they have no signature, as those of texts. */
export async function detectType(head: Uint8Array): Promise<DetectedType | undefined> {
  const { fileTypeFromBuffer } = await library();
  // It may stumble over bytes that only begin like a format.
  return fileTypeFromBuffer(head).catch(() => undefined);
}

/** Whether files with an extension, given without its dot, begin with a signature. */
export async function hasSignature(extension: string): Promise<boolean> {
  const { supportedExtensions } = await library();
  return supportedExtensions.has(ALIASES[extension] ?? (extension as never)) && !MAY_LACK_IT.has(extension);
}

/** Other names of extensions that the library knows. */
const ALIASES: Record<string, never> = Object.fromEntries(
  Object.entries({ jpeg: "jpg", jpe: "jpg", tiff: "tif", mpeg: "mpg", heif: "heic", qt: "mov", aiff: "aif" }),
) as Record<string, never>;

/** Texts, and formats that are written without a signature as well. */
const MAY_LACK_IT = new Set([
  "xml",
  "ics",
  "vcf",
  "vtt",
  "reg",
  "dat",
  "mp3",
  "mp2",
  "mp1",
  "aac",
  "eps",
  "stl",
  "arrow",
]);
