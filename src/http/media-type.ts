import { charset as charsetOf, lookup } from "mime-types";

/** The media type of a file of which nothing more is known, or shall be. */
export const BYTES = "application/octet-stream";

/**
 * The media type of a file by the extension of a name, whatever its bytes are and an uploader said. Where some browser or program might run
 * it, it is {@link BYTES}.
 *
 * @returns `undefined` where the extension is not known, or says no more than that there are bytes.
 */
export function mediaTypeOf(name: string): string | undefined {
  const type = lookup(extension(name));
  return type && type !== BYTES ? harmless(type) : undefined;
}

/** A media type, or {@link BYTES} where some browser or program might run the file, or the text is no media type. */
export function harmless(type: string): string {
  return MEDIA_TYPE.test(type) && !RUNS.test(type) ? type : BYTES;
}

/** Whether browsers show a media type without running anything of it. */
export function isShown(type: string): boolean {
  return SHOWN.test(type);
}

/**
 * A media type with its charset.
 *
 * @param charset that of texts, or `null` for none. Formats that are texts by another name, such as JSON, are in UTF-8 whatever it is.
 */
export function withCharset(type: string, charset: string | null): string {
  if (charset === null || !charsetOf(type)) return type;
  return `${type}; charset=${type.startsWith("text/") ? charset : "utf-8"}`;
}

/** Whether a value is the name of a charset in the Encoding Standard (§4.2), in any case: browsers know these by further labels, others do not. */
export function isCharset(value: unknown): value is string {
  return typeof value === "string" && CHARSET.test(value);
}

const SHOWN =
  /^(?:image\/(?:png|jpeg|gif|webp|avif|apng|bmp|x-icon|vnd\.microsoft\.icon)$|audio\/|video\/|application\/pdf$|text\/plain$)/;

const MEDIA_TYPE = /^[a-z]+\/[\w.+-]+$/;

const RUNS = /html|xml(?!formats)|svg|script|message\/|multipart\/|flash|wasm|x-sh\b/;

const CHARSET =
  /^(?:utf-(?:8|16[bl]e)|ibm866|iso-8859-(?:[2-8]|8-i|1[03-6])|koi8-[ru]|macintosh|windows-(?:874|125[0-8])|x-mac-cyrillic|gbk|gb18030|big5|euc-(?:jp|kr)|iso-2022-jp|shift_jis)$/i;

function extension(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot) : "";
}
