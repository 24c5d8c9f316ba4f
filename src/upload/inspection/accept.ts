import { lookup } from "mime-types";

/** A media type by the first bytes of a file, and the extension that goes with it. */
export interface DetectedType {
  /** The media type. */
  mime: string;
  /** The extension, without its dot. */
  ext: string;
}

/** What tells the type of an upload: its bytes and its name. Never what the client says of it. */
export interface TypeEvidence {
  /** The type by the first bytes, where they have a signature. */
  detected?: DetectedType;
  /** The extension of the name, without its dot and in lower case. Empty where it has none. */
  extension: string;
  /** Whether files of that extension have a signature, so that bytes without one are something else. */
  hasSignature: boolean;
}

/** The extension of a name, without its dot and in lower case. Empty where it has none. */
export function extensionOf(name: string): string {
  return /.\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
}

/**
 * The media type of an upload: by its bytes, or by its extension where that says more, as of a `.docx` whose bytes are those of a ZIP
 * archive. `undefined` where the bytes are not what the extension says, or nothing is known.
 */
export function decidedType(evidence: TypeEvidence): string | undefined {
  const { detected, extension, hasSignature } = evidence;
  const byName = lookup(extension) || undefined;
  if (detected) return byName && agree(detected, extension) ? byName : detected.mime;
  return hasSignature ? undefined : byName;
}

/**
 * Whether an entry of `accept` takes an upload: nothing that is known of it may say that it is of another type. Where the bytes have
 * no signature, as those of texts, the extension decides.
 */
export function isAccepted(accept: readonly string[], evidence: TypeEvidence): boolean {
  return accept.some((entry) => (entry.startsWith(".") ? takesExtension(entry, evidence) : takesType(entry, evidence)));
}

function takesExtension(entry: string, { detected, extension, hasSignature }: TypeEvidence): boolean {
  if (entry.slice(1).toLowerCase() !== extension) return false;
  return detected ? agree(detected, extension) : !hasSignature;
}

function takesType(entry: string, { detected, extension, hasSignature }: TypeEvidence): boolean {
  const byName = lookup(extension) || undefined;
  if (!detected) return !hasSignature && byName !== undefined && matches(entry, byName);
  if (byName === undefined) return matches(entry, detected.mime);
  if (agree(detected, extension)) return matches(entry, byName) || matches(entry, detected.mime);
  return matches(entry, byName) && matches(entry, detected.mime);
}

function matches(entry: string, type: string): boolean {
  const wanted = entry.toLowerCase();
  return wanted.endsWith("/*") ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}

/** Formats that are built on others, which their first bytes are those of. */
const BUILT_ON: [container: RegExp, extension: RegExp][] = [
  [
    /^zip$/,
    /^(?:(?:doc|xls|ppt|pps|dot|xlt|pot|sld)[xm]|xlsb|vsd[xm]|od[tspgfm]|ot[tspg]|epub|jar|apk|xpi|kmz|3mf|pages|numbers|key)$/,
  ],
  [/^cfb$/, /^(?:doc|dot|xls|xlt|ppt|pps|pot|msg|msi|vsd|mpp|pub)$/],
  [/^xml$/, /^(?:svg|xhtml|xht|rss|atom|gpx|kml|xsl|xslt|xsd|wsdl|plist|dae|musicxml|fodt|fods|drawio|x3d)$/],
  [/^(?:gz|tar\.gz)$/, /^(?:gz|tgz|svgz)$/],
  [/^(?:mp4|m4a|m4v|m4b|m4p|mov|3gp|3g2|f4v)$/, /^(?:mp4|m4a|m4v|m4b|m4p|mov|qt|3gp|3g2|f4v|mp4a|mpg4)$/],
  [/^(?:ogg|oga|ogv|ogm|ogx|opus|spx)$/, /^(?:ogg|oga|ogv|ogx|opus|spx)$/],
  [/^(?:mkv|webm)$/, /^(?:mkv|mka|webm|weba)$/],
  [/^(?:asf|wmv|wma)$/, /^(?:asf|wmv|wma)$/],
  [/^(?:mp1|mp2|mp3|aac|mpg)$/, /^(?:mp1|mp2|mp3|mpga|mpg|mpeg|m2v|vob|aac)$/],
  [/^(?:heic|avif)$/, /^(?:heic|heif|avif|hif)$/],
  [/^(?:pdf|ps|eps)$/, /^(?:ai|eps|ps)$/],
  [/^tif$/, /^(?:tif|tiff|dng|nef|cr2|arw)$/],
];

/** Whether bytes of a format may be those of a file with an extension. */
function agree({ ext, mime }: DetectedType, extension: string): boolean {
  if (ext === extension || lookup(extension) === mime || lookup(ext) === lookup(extension)) return true;
  return BUILT_ON.some(([container, built]) => container.test(ext) && built.test(extension));
}
