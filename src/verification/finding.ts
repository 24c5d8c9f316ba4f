import { quoted, shown } from "../quoted.js";

/** What tells the bytes of a file from others. */
export interface FileDigest {
  /** The number of bytes. */
  size?: number;
  /** The SHA-256 digest in hexadecimal. */
  sha256?: string;
}

/** What was found of the object of a row. */
export type Finding =
  /** It has the bytes that the row says. */
  | { kind: "verified" }
  /** The row has no digest. If it has a size, it is that of the object. */
  | { kind: "unverified" }
  /** It has other bytes than the row says. `found` has no digest if the size is another, as it was not read then. */
  | { kind: "altered"; expected: FileDigest; found: FileDigest }
  /** The storage failed. */
  | { kind: "unreadable"; error: Error }
  /** The storage does not have it. */
  | { kind: "missing" }
  /** The row's value is not a key. */
  | { kind: "invalid" };

/** In which way an object is not what its row says, as a part of a sentence. */
export function difference(expected: FileDigest, found: FileDigest): string {
  return found.sha256 === undefined
    ? `it has ${found.size} bytes, the row says ${expected.size}`
    : `its SHA-256 digest is ${quoted(found.sha256)}, the row says ${shown(expected.sha256)}`;
}
