/** The first bytes of a file, each of its characters being a byte. A file in no text format has at least a NUL. */
export function file(start: string, length = 300): Buffer {
  const bytes = Buffer.alloc(Math.max(length, start.length));
  bytes.write(start, "latin1");
  return bytes;
}

/** A ZIP archive of empty files, of which one may have a text. */
export function zip(names: string[], text = ""): Buffer {
  const entries = names.map((name, index) => {
    const content = Buffer.from(index === 0 ? text : "");
    const header = Buffer.alloc(30);
    header.write("PK\x03\x04", "latin1");
    header.writeUInt32LE(content.length, 18);
    header.writeUInt32LE(content.length, 22);
    header.writeUInt16LE(name.length, 26);
    return Buffer.concat([header, Buffer.from(name), content]);
  });
  return Buffer.concat([...entries, file("PK\x05\x06", 22)]);
}

/** An Office document of one kind, such as `wordprocessingml.document`. */
export function office(kind: string): Buffer {
  const type = kind.includes("acroEnabled") ? kind : `openxmlformats-officedocument.${kind}`;
  const part = `<Types><Override ContentType="application/vnd.${type}.main+xml"/></Types>`;
  return zip(["[Content_Types].xml", "_rels/.rels"], part);
}

/** The header of an MP4 file, with its brand. */
export const mp4 = (brand: string) => file(`\0\0\0\x18ftyp${brand}\0\0\0\0`);

/** An ID3 tag with a picture of so many bytes, and what follows it. */
export function id3(length: number, sound: Buffer): Buffer {
  const size = [21, 14, 7, 0].map((shift) => (length >> shift) & 0x7f);
  return Buffer.concat([Buffer.from("ID3\x03\0\0"), Buffer.from(size), Buffer.alloc(length), sound]);
}

/** A TIFF image whose directory follows so many bytes. */
export function tiff(order: "II" | "MM", pixels: number): Buffer {
  const header = file(order, 8);
  if (order === "II") {
    header.writeUInt16LE(42, 2);
    header.writeUInt32LE(8 + pixels, 4);
  } else {
    header.writeUInt16BE(42, 2);
    header.writeUInt32BE(8 + pixels, 4);
  }
  const directory = Buffer.alloc(18);
  directory[order === "II" ? 0 : 1] = 1;
  return Buffer.concat([header, Buffer.alloc(pixels, 0x80), directory]);
}

const OGG = `OggS${"\0".repeat(24)}`;
const ASF =
  "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c\0\x01\0\0\0\0\0\0\x01\0\0\0\x01\x02" +
  "\x91\x07\xdc\xb7\xb7\xa9\xcf\x11\x8e\xe6\x00\xc0\x0c\x20\x53\x65\x72\0\0\0\0\0\0\0" +
  "\xc0\xef\x19\xbc\x4d\x5b\xcf\x11\xa8\xfd\x00\x80\x5f\x5c\x44\x2b";
const CFB = file("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
const ZIP = zip(["a"]);
const GZIP = file("\x1f\x8b\x08");
const MPEG = file("\xff\xfb\x90\x64");
const PROGRAM_STREAM = file("\0\0\x01\xba\x44");
const PNG = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";

/** Genuine files that begin with a signature, as far as it tells, by the extensions that they have in the world. */
export const SIGNED: [extensions: string, bytes: Buffer][] = [
  ["jpg jpeg jpe jfif", file("\xff\xd8\xff\xe0\0\x10JFIF")],
  ["png apng", file(`${PNG}${"\0".repeat(17)}\0\0\0\0IDAT`)],
  ["png apng", file(`${PNG}${"\0".repeat(17)}\0\0\0\x08acTL`)],
  ["gif", file("GIF89a\x01\0\x01\0")],
  ["webp", file("RIFF\x10\0\0\0WEBPVP8 ")],
  ["bmp dib", file("BM\x3a\0\0\0")],
  ["tif tiff dng nef", tiff("II", 0)],
  ["tif tiff dng nef", tiff("MM", 100_000)],
  ["tif tiff dng nef", tiff("II", 100_000)],
  ["heic heif hif", mp4("heic")],
  ["heic heif hif", mp4("heis")],
  ["heic heif hif avif", mp4("mif1")],
  ["avif", mp4("avif")],
  ["jxl", file("\xff\x0a\0")],
  ["jxl", file("\0\0\0\x0cJXL \r\n\x87\n")],
  ["jp2 jpx", file("\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ")],
  ["ico cur", file("\0\0\x01\0\x01")],
  ["psd psb", file("8BPS\0\x01")],
  ["dwg", file("AC1032\0\0")],
  ["djvu djv", file("AT&TFORM\0\0\0\x20DJVU")],
  ["mp4 m4v m4a m4b mov 3gp", mp4("isom")],
  ["mp4 m4a m4b", mp4("M4A ")],
  ["mov qt mp4", mp4("qt  ")],
  ["3gp 3g2", mp4("3gp5")],
  ["mkv mka webm weba", file("\x1aE\xdf\xa3\x87\x42\x82\x84webm")],
  ["mkv mka webm weba", file("\x1aE\xdf\xa3\x8b\x42\x82\x88matroska")],
  ["avi", file("RIFF\x10\0\0\0AVI ")],
  ["wmv wma asf", file(ASF)],
  ["mpg mpeg mpe vob m2v", PROGRAM_STREAM],
  ["flv", file("FLV\x01\x05")],
  ["ts mts m2ts mpg", Buffer.concat(Array.from({ length: 3 }, () => file("G\x40\x11", 188)))],
  ["ogv ogg oga", file(`${OGG}\x80theora`)],
  ["opus oga ogg", file(`${OGG}OpusHead`)],
  ["mp3 mpga", MPEG],
  ["mp3 mpga", id3(100, MPEG)],
  ["mp3 aac flac", id3(100_000, MPEG)],
  ["aac adts", file("\xff\xf1\x50")],
  ["flac", file("fLaC\0\0\0\x22")],
  ["flac", id3(100, file("fLaC\0"))],
  ["wav", file("RIFF\x10\0\0\0WAVEfmt ")],
  ["wav", file("RF64\xff\xff\xff\xffWAVEds64")],
  ["aif aiff aifc", file("FORM\0\0\0\x20AIFF")],
  ["mid midi kar", file("MThd\0\0\0\x06")],
  ["amr", file("#!AMR\n\x3c\0")],
  ["caf", file("caff\0\x01")],
  ["pdf ai", file("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\0")],
  ["pdf", Buffer.from("\r\n%PDF-1.4\n1 0 obj")],
  ["eps ps ai", Buffer.from("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n")],
  ["eps", file("\xc5\xd0\xd3\xc6")],
  ["rtf doc", Buffer.from("{\\rtf1\\ansi hello}")],
  ["doc xls ppt msg vsd mpp", CFB],
  ["docx xlsx pptx", CFB],
  ["docx zip", office("wordprocessingml.document")],
  ["xlsx zip", office("spreadsheetml.sheet")],
  ["pptx zip", office("presentationml.presentation")],
  ["docm", office("ms-word.document.macroEnabled")],
  ["docx docm xlsx pptx xlsb odt epub pages numbers key zip", ZIP],
  ["odt zip", zip(["mimetype"], "application/vnd.oasis.opendocument.text")],
  ["epub zip", zip(["mimetype"], "application/epub+zip")],
  ["jar apk war zip", zip(["META-INF/MANIFEST.MF"])],
  ["jar apk war cbz cbr ipa usdz whl sketch kmz 3mf xps", ZIP],
  ["gz tgz svgz blend", GZIP],
  ["bz2 tbz tbz2", file("BZh91AY&SY")],
  ["xz txz", file("\xfd7zXZ\0")],
  ["zst tzst blend", file("\x28\xb5\x2f\xfd\x04")],
  ["lz4", file("\x04\x22\x4d\x18")],
  ["7z", file("7z\xbc\xaf\x27\x1c")],
  ["rar cbr", file("Rar!\x1a\x07\x01\0")],
  ["tar", file(`GIFs/a.txt${"\0".repeat(247)}ustar\0`, 512)],
  ["mobi azw3", file(`BMW Guide${"\0".repeat(51)}BOOKMOBI`)],
  ["ttf otf", file("\0\x01\0\0\0\x0c")],
  ["otf ttf", file("OTTO\0\x0c")],
  ["woff", file("wOFF\0\x01\0\0")],
  ["woff2", file("wOF2OTTO")],
  ["wasm", file("\0asm\x01")],
  ["dcm", file(`${"\0".repeat(128)}DICM`)],
  ["dcm", Buffer.concat([tiff("II", 1000).subarray(0, 128), file("DICM")])],
  ["sqlite gpkg", file("SQLite format 3\0")],
  ["swf", file("FWS\x08\0")],
  ["exe dll", file("MZ\x90\0\x03")],
  ["glb", file("glTF\x02\0\0\0")],
];

/** Genuine files that need no signature, by their extensions. */
export const TEXTS: [extensions: string, text: string][] = [
  ["csv txt md log tsv json yaml css sql tex py", "a;b;c\n"],
  ["html htm", "<!doctype html><p>a"],
  ["html htm xhtml", '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>'],
  ["svg xml rdf owl xlf xliff ttml mpd tei xspf xul mml fb2 gpx kml fodt musicxml", '<?xml version="1.0"?><a/>'],
  ["svg xml", "<svg/>"],
  ["ics", "BEGIN:VCALENDAR\r\n"],
  ["vcf", "BEGIN:VCARD\r\n"],
  ["vtt", "WEBVTT\n"],
  ["step stp", "ISO-10303-21;\nHEADER;\n"],
  ["stl", "solid cube\n"],
  ["dxf", "  0\nSECTION\n"],
  ["fbx", "; FBX 7.3.0 project file\n"],
  ["asc gpg pgp", "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n"],
  ["asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"],
  ["ts mts", `Go${" ".repeat(186)}Go(); export {};\n`],
  ["key pem", "-----BEGIN PRIVATE KEY-----\n"],
];

/** What somebody may hide behind another extension. */
export const IMPOSTORS = {
  html: Buffer.from("<!doctype html><script>alert(1)</script>"),
  php: Buffer.from("<?php system($_GET['a']);"),
  exe: file("MZ\x90\0\x03"),
  zip: ZIP,
};
