import { lookup } from "mime-types";

/** A format that is told by the first bytes of a file. */
export interface DetectedType {
  /** The media type, in lower case and without parameters. */
  mime: string;
  /** The extension, without its dot and in lower case. */
  ext: string;
}

/** The media type of an extension, given without its dot; `undefined` where it is not known. */
export function typeOf(extension: string): string | undefined {
  return lookup(extension) || undefined;
}

/** Whether an extension is another name of the one of a format. */
export function isSame({ ext, mime }: DetectedType, extension: string): boolean {
  const type = typeOf(extension);
  return ext === extension || (type !== undefined && (type === mime || type === typeOf(ext)));
}

/** Whether files with an extension may be in a format because theirs is built on it, as a `.docx` is a ZIP archive. */
export function isBuiltOn({ ext }: DetectedType, extension: string): boolean {
  if (ext === "xml" && XML.test(typeOf(extension) ?? "")) return true;
  return BUILT_ON.some(([base, built]) => base.test(ext) && built.test(extension));
}

/** Whether a format serves as the base of many others, of which some extension that is unknown may be one. */
export function isBase({ ext }: DetectedType): boolean {
  return /^(?:zip|jar|xml|cfb|sqlite|tar|gz|tar\.gz|bz2|xz|zst|7z)$/.test(ext);
}

/** Whether an extension is that of a format of which no more is known than the company that made it. */
export function isVendors(extension: string): boolean {
  return /^application\/vnd\.[^+]+$/.test(typeOf(extension) ?? "") && !MAY_BE_TEXT.test(extension);
}

/** Whether files with an extension are in a format that is built on one with a signature. */
export function hasBase(extension: string): boolean {
  return BUILT_ON.some(([, built]) => built.test(extension));
}

/**
 * Whether files with an extension may be without the signature that is known of it.
 *
 * @param isText whether the bytes are those of a text.
 */
export function mayLackSignature(extension: string, isText: boolean): boolean {
  return MAY_BE_TEXT.test(extension) || (!isText && MAY_BEGIN_ANYHOW.test(extension));
}

/** Texts, and extensions that a text format shares with a binary one, such as `.ts` and `.key`. */
const MAY_BE_TEXT =
  /^(?:xml|xsl|xsd|rng|ics|ifb|vcf|vcard|vtt|reg|stl|fbx|asx|bat|ts|mts|dat|sav|dot|pot|pub|key|pgp|gpg|asc)$/;

/** Formats that may begin with anything, such as sound that was cut out of a broadcast, but are no texts. */
const MAY_BEGIN_ANYHOW = /^(?:mp[123]|mpga|mp2a|m[23]a|aac|adts|m2ts?|dmg|dmp|arrow|tga|rmi|com)$/;

const XML = /[/+]xml$|^text\/(?:html|mathml)$/;

const ZIP = new RegExp(
  `^(?:${[
    "(?:doc|xls|ppt|pps|dot|xlt|pot|sld|vsd|vss|vst)[xm]|xlsb|xlam|ppam|thmx|o?xps",
    "od[tspgfcbim]|odft|ot[tspgcih]|s[xt][cdiw]|sxm|sxg|pages|numbers|key|epub|mxl|idml|cbz|cbr|sketch",
    "jar|war|ear|apk|aab|aar|xpi|ipa|whl|nupkg|vsix|appx|msix|air|pkpass|kmz|3mf|usdz|amlx|stpx?z|lottie",
  ].join("|")})$`,
);

/** Formats that are built on others, which their first bytes are those of; and those that one program writes under several extensions. */
const BUILT_ON: [base: RegExp, built: RegExp][] = [
  [/^zip$/, ZIP],
  [ZIP, /^zip$/],
  [/^(?:jar|apk)$/, /^(?:jar|war|ear|apk|aab|aar|xpi)$/],
  // An Office document with a password is such a file, too.
  [/^cfb$/, /^(?:doc|dot|xls|xlt|xla|ppt|pps|pot|msg|oft|ms[ipt]|vs[dst]|mpp|pub|(?:doc|xls|ppt|pps)[xm]|xlsb)$/],
  [/^rtf$/, /^do[ct]$/],
  [/^(?:gz|tar\.gz)$/, /^(?:gz|tgz|svgz|x3dz|emz|wmz|gnumeric|blend)$/],
  [/^bz2$/, /^(?:bz2?|boz|tbz2?)$/],
  [/^xz$/, /^(?:xz|txz)$/],
  [/^zst$/, /^(?:zst|tzst|blend)$/],
  [/^z$/, /^(?:z|taz)$/],
  [/^(?:rar|7z|tar)$/, /^cb[rzt7]$/],
  [/^sqlite$/, /^(?:sqlite3?|db3|gpkg|mbtiles)$/],
  [/^(?:mp4|m4[avbp]|mov|3gp|3g2|f4[vpab])$/, /^(?:mp4|m4[avbprs]|mov|qt|3gpp?|3g2|f4[vpab]|mp4[av]|mpg4)$/],
  [/^(?:og[gavmx]|opus|spx)$/, /^(?:og[gavmx]|opus|spx)$/],
  [/^(?:mkv|webm)$/, /^(?:mk[av3s]|mk3d|webm|weba)$/],
  [/^asf$/, /^(?:asf|wmv|wma|wm)$/],
  // What follows a long ID3 tag is not seen.
  [/^(?:mp[123]|aac)$/, /^(?:mp[123]|mpga|mp2a|m[23]a|aac|adts|flac)$/],
  [/^(?:mpg|mts)$/, /^(?:mpe?g|mpe|m[12]v|m2ts?|m?ts|vob)$/],
  [/^jpg$/, /^(?:jpe?g|jpe|jfif|pjpeg|jif)$/],
  [/^a?png$/, /^a?png$/],
  [/^(?:heic|avif)$/, /^(?:hei[cf]s?|hif|avif)$/],
  [/^(?:jp2|jpx|jpm|mj2)$/, /^(?:jp[2xm]|jpg2|jpf|mjp?2)$/],
  [/^j2c$/, /^(?:j2[ck]|jpc)$/],
  [/^(?:tif|dng|nef|arw|cr2)$/, /^(?:tiff?|dng|nef|nrw|arw|sr[2fw]|cr2|pef|3fr|erf|kdc|mef|rwl)$/],
  [/^(?:ico|cur)$/, /^(?:ico|cur|tga)$/],
  [/^ac3$/, /^(?:e?ac3|ec3)$/],
  [/^caf$/, /^caf$/],
  [/^djvu$/, /^djvu?$/],
  [/^aif$/, /^aif[fc]?$/],
  [/^psd$/, /^ps[db]$/],
  [/^(?:pdf|ps|eps)$/, /^(?:ai|eps|ps)$/],
  [/^(?:ttf|otf|ttc)$/, /^(?:ttf|otf|ttc)$/],
  [/^mobi$/, /^(?:mobi|prc|azw3?)$/],
  [/^pgp$/, /^(?:pgp|gpg|asc)$/],
];
