import { BYTES, harmless } from "../../http/media-type.js";
import type { TypeEvidence } from "./evidence.js";
import { type DetectedType, isBase, isBuiltOn, isSame, isVendors, typeOf } from "./formats.js";

/**
 * The media type of an upload: by its bytes, or by its extension where that says more, as of a `.docx` whose bytes are those of a ZIP
 * archive. `undefined` where the bytes are not what the extension says and some program might run them, or nothing is known.
 */
export function decidedType(evidence: TypeEvidence): string | undefined {
  const { detected, extension } = evidence;
  if (isDecidedByName(evidence)) return typeOf(extension);
  if (!detected || extension === "") return detected?.mime;
  if (isOfFormat(detected, evidence)) return typeOf(extension) ?? detected.mime;
  return harmless(detected.mime) === BYTES ? undefined : detected.mime;
}

/**
 * Whether an entry of `accept` takes an upload: nothing that is known of it may say that it is of another type. Where the bytes have
 * no signature, as those of texts, the extension decides.
 */
export function isAccepted(accept: readonly string[], evidence: TypeEvidence): boolean {
  return accept.some((entry) => (entry.startsWith(".") ? takesExtension(entry, evidence) : takesType(entry, evidence)));
}

function takesExtension(entry: string, evidence: TypeEvidence): boolean {
  const { detected, extension, hasSignature } = evidence;
  if (entry.slice(1).toLowerCase() !== extension) return false;
  if (!detected || isDecidedByName(evidence)) return !hasSignature;
  if (isOfFormat(detected, evidence)) return true;
  const isUnknown = !hasSignature && (typeOf(extension) ?? BYTES) === BYTES;
  return isUnknown && isBase(detected);
}

function takesType(entry: string, evidence: TypeEvidence): boolean {
  const { detected, extension, hasSignature } = evidence;
  const byName = typeOf(extension);
  if (detected && isSame(detected, extension)) return matches(entry, byName) || matches(entry, detected.mime);
  if (!detected || isDecidedByName(evidence))
    return !hasSignature && !HAVE_SIGNATURES.test(entry) && matches(entry, byName);
  if (extension === "") return matches(entry, detected.mime) || matches(entry, typeOf(detected.ext));
  if (isOfFormat(detected, evidence)) return matches(entry, byName ?? detected.mime);
  return matches(entry, byName) && matches(entry, detected.mime);
}

/** The groups whose members are told by their bytes. Those without a signature have to be named. */
const HAVE_SIGNATURES = /^(?:image|audio|video|font)\/\*$/i;

/** Whether the bytes say nothing that contradicts the extension: they are a text, or have no signature, and files like this need none. */
function isDecidedByName({ detected, extension, hasSignature, isText }: TypeEvidence): boolean {
  return extension !== "" && !hasSignature && (isText || !detected);
}

/** Whether bytes may be those of the format that the extension names. */
function isOfFormat(detected: DetectedType, { extension, hasSignature }: TypeEvidence): boolean {
  if (isSame(detected, extension) || isBuiltOn(detected, extension)) return true;
  return !hasSignature && isVendors(extension) && isBase(detected);
}

/** A picture in SVG may run scripts, so no group takes it. */
function matches(entry: string, type: string | undefined): boolean {
  const wanted = entry.toLowerCase();
  return wanted.endsWith("/*") ? type !== SVG && type?.startsWith(wanted.slice(0, -1)) === true : type === wanted;
}

const SVG = "image/svg+xml";
