import { downloadName } from "../../http/disposition.js";
import { portableName } from "../../storage/key.js";
import { detectType, hasSignature } from "./detected-type.js";
import type { DetectedType } from "./formats.js";
import { isText } from "./text.js";

/** What tells the type of an upload: its bytes and its name. Never what the client says of it. */
export interface TypeEvidence {
  /** The type by the first bytes, where they have a signature. */
  detected?: DetectedType;
  /** Whether the first bytes are those of a text. */
  isText: boolean;
  /** The extension of the name, without its dot and in lower case. Empty where it has none. */
  extension: string;
  /** Whether files of that extension have a signature, so that bytes without one are something else. */
  hasSignature: boolean;
}

/**
 * What tells the type of an upload.
 *
 * @param head its first bytes.
 * @param filename the name that it came with.
 */
export async function evidenceOf(head: Uint8Array, filename: string): Promise<TypeEvidence> {
  const extension = safeExtension(filename);
  const text = isText(head);
  return {
    detected: await detectType(head, text),
    isText: text,
    extension,
    hasSignature: await hasSignature(extension, text),
  };
}

/**
 * A file is stored under one name and saved under another, and both may be cut, in a column of the row, too. Where these names end in
 * different extensions, the file has none that anything takes.
 */
function safeExtension(filename: string): string {
  const names = [portableName(filename), downloadName(filename), downloadName(filename.slice(-TAIL))];
  return [...new Set(names.map(extensionOf))].join(" or ");
}

/** More than any extension has that a cut keeps. */
const TAIL = 64;

function extensionOf(name: string): string {
  return /.\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
}
