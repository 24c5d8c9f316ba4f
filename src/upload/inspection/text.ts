/**
 * Whether the first bytes of a file are those of a text: none of them is a "binary data byte" (WHATWG MIME Sniffing, §3), whatever the encoding
 * is, or they are UTF-16 with a byte order mark. Each binary format has such a byte in its first ones; `0xFF`, which no text starts with in
 * another encoding, spares a JPEG image of which only the beginning is there.
 */
export function isText(head: Uint8Array): boolean {
  const encoding = utf16(head);
  if (encoding === undefined) return head[0] !== 0xff && !head.some(isBinary);
  try {
    return !new TextDecoder(encoding, { fatal: true }).decode(head, { stream: true }).includes("\0");
  } catch {
    return false;
  }
}

/** The encoding that a byte order mark of UTF-16 names. */
export function utf16([first, second]: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : undefined;
}

function isBinary(byte: number): boolean {
  return byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d && byte !== 0x0b) && byte !== 0x1b;
}
