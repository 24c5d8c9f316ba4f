import assert from "node:assert/strict";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, UploadError } from "typeorm-private-files";
import { decidedType, isAccepted } from "../../../src/upload/inspection/accept.js";
import { evidenceOf } from "../../../src/upload/inspection/evidence.js";
import { type Application, startApplication } from "../../support/application.js";
import { after, before, describe, it } from "../../support/suite.js";
import { file, id3, mp4, office, tiff, zip } from "./minimal-files.js";

@Entity()
class Upload {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ nullable: true, type: String }) name!: string | null;
  @Column({ nullable: true, type: String }) type!: string | null;
  @PrivateFileColumn<Upload>({ nullable: true, accept: ["image/*"], fields: { name: "name", type: "type" } })
  picture!: PrivateFile | null;
  @PrivateFileColumn<Upload>({ nullable: true, accept: [".flac", ".docx", ".txt", ".csv"] })
  paper!: PrivateFile | null;
}

const GIF = file("GIF89a\x01\0\x01\0");
const HTML = Buffer.from("<html><script>alert(1)</script></html>");
const XML = '<?xml version="1.0"?>';

let application: Application;
before(async () => {
  application = await startApplication({ entities: [Upload] });
});
after(() => application.close());

async function attach(property: "picture" | "paper", bytes: Buffer, filename: string): Promise<Upload> {
  const upload = new Upload();
  await application.files.attach(upload, property, bytes, { filename });
  return upload;
}

async function assertRefused(property: "picture" | "paper", bytes: Buffer, filename: string): Promise<void> {
  await assert.rejects(attach(property, bytes, filename), (error) => {
    assert.ok(error instanceof UploadError, `${filename}: ${error}`);
    assert.equal(error.reason, "type");
    return true;
  });
}

const evidence = (bytes: Buffer | string, filename: string) =>
  evidenceOf(Buffer.from(bytes as string).subarray(0, 65_536), filename);

async function isTaken(entry: string, bytes: Buffer | string, filename: string): Promise<boolean> {
  return isAccepted([entry], await evidence(bytes, filename));
}

async function typeOf(bytes: Buffer | string, filename: string): Promise<string | undefined> {
  return decidedType(await evidence(bytes, filename));
}

describe("The extension that accept looks at", () => {
  const names = [
    "a.html ",
    "a.html.",
    "a.exe. .",
    "a.html\0",
    "a.html:",
    "a.html::$DATA",
    "a.html\u200b",
    "a.ht\u00adml",
  ];
  for (const name of [...names, "a.html/", "a.png/b.html", "a.gif\u2028.html"]) {
    it(`is the one that the file is stored and saved with: ${JSON.stringify(name)} is no picture`, () =>
      assertRefused("picture", GIF, name));
  }

  it("is that of each name that may be left when a long one is cut", async () => {
    const end = "z".repeat(80);
    await assertRefused("picture", GIF, `${"a".repeat(96)}.gif${"y".repeat(150)}.html${end}`);
    await assertRefused("picture", GIF, `${"a".repeat(45)}.html${"b".repeat(46)}.gif${"c".repeat(151)}.gif${end}`);
    await attach("picture", GIF, `${"a".repeat(45)}.html${"b".repeat(46)}.gif${"c".repeat(151)}.gif`);
  });

  it("may have spaces after it and a folder before it", async () => {
    for (const name of ["C:\\pictures.old\\a.gif", "/tmp/a.GIF ", "Übung 1.2.gif"]) await attach("picture", GIF, name);
  });

  it("has to be known, or absent, for a media type", async () => {
    for (const name of ["x.phtml", "x.php5", "x.jsp", "x.aspx", "x.backup1"]) {
      await assertRefused("picture", GIF, name);
      assert.ok(!(await isTaken("image/gif", GIF, name)), name);
      assert.ok(!(await isTaken("application/zip", zip(["a"]), name)), name);
    }
    await attach("picture", GIF, "photo");
  });

  it("may be one of which only the signature is known", async () => {
    assert.ok(await isTaken("image/*", tiff("II", 0), "a.nef"));
    assert.ok(await isTaken("application/gzip", file("\x1f\x8b\x08"), "a.tgz"));
    assert.ok(!(await isTaken("image/*", HTML, "a.nef")));
  });

  it("may be unknown where it is listed, and built on a format that many are built on", async () => {
    for (const name of ["a.backup1", "a.ggb"]) {
      const entry = name.slice(1);
      for (const bytes of [zip(["a"]), Buffer.from(`${XML}<a/>`), Buffer.from("a"), file("\x1f\x8b\x08")])
        assert.ok(await isTaken(entry, bytes, name), name);
      assert.ok(!(await isTaken(entry, file("MZ\x90\0"), name)), name);
    }
    assert.ok(await isTaken("application/vnd.geogebra.file", zip(["a"]), "a.ggb"));
    assert.ok(!(await isTaken(".cab", zip(["a"]), "a.cab")));
  });

  it("is not taken for another one that is as unknown", async () => {
    assert.ok(!(await isTaken(".unknown1", file("\x04\x22\x4d\x18"), "a.unknown1")));
  });
});

describe("A file whose type its first 64 KiB do not tell", () => {
  it("is taken for a TIFF image, whose directory may be at the end", async () => {
    for (const order of ["II", "MM"] as const) {
      const { type } = await attach("picture", tiff(order, 200_000), "scan.tiff");
      assert.equal(type, "image/tiff");
    }
  });

  it("is taken for what its extension says, after a long ID3 tag", async () => {
    await attach("paper", id3(200_000, file("fLaC\0")), "a.flac");
    await assertRefused("paper", id3(200_000, file("fLaC\0")), "a.csv");
  });

  it("is taken for an Office document if it is an archive", async () => {
    const image = zip(["media/image1.bin"], "x".repeat(100_000));
    await attach("paper", Buffer.concat([image.subarray(0, -22), office("wordprocessingml.document")]), "a.docx");
  });
});

describe("A text", () => {
  const MAGICS = ["BM", "MZ", "GIF", "BZh", "ID3", "FWS", "MThd", "II*", "FORM", "fLaC", "8BPS", "MP+", "7z", "070707"];
  for (const magic of [...MAGICS, "%!PS", "%PDF-1.4", "{\\rtf", XML, "solid ", "BEGIN:VCARD", "WEBVTT\n"]) {
    it(`may begin with ${JSON.stringify(magic)}`, async () => {
      const utf8 = Buffer.from(`${magic};Straße\r\n1;2\r\n`.repeat(5000));
      for (const name of ["a.txt", "a.csv"]) await attach("paper", utf8, name);
      for (const bytes of [utf8, Buffer.from(`${magic};Straße`, "latin1"), Buffer.from(`\ufeff${magic};2`)]) {
        assert.ok(await isTaken("text/*", bytes, "a.md"));
        assert.equal(await typeOf(bytes, "a.csv"), "text/csv");
      }
    });
  }

  it("may be in UTF-16 or UTF-32 with a byte order mark", async () => {
    const little = Buffer.from(`\ufeffGive;${"x".repeat(92)}GG;B\r\n`, "utf16le");
    const wide = Buffer.alloc(little.length * 2);
    little.forEach((byte, index) => {
      wide[index + (index & ~1)] = byte;
    });
    for (const bytes of [little, Buffer.from(little).swap16(), wide, Buffer.from(wide).swap32()]) {
      await attach("paper", bytes, "a.csv");
      assert.equal(await typeOf(bytes, "a.csv"), "text/csv");
      assert.ok(!(await isTaken("audio/*", bytes, "a")));
      assert.ok(!(await isTaken("audio/*", bytes, "a.mp1")));
    }
  });

  it("in XML is known by its declaration, behind a byte order mark, too", async () => {
    for (const bytes of [Buffer.from(`\ufeff${XML}`), Buffer.from(`\ufeff${XML}`, "utf16le"), Buffer.from(XML)]) {
      assert.equal(await typeOf(bytes, "a"), "application/xml");
      assert.equal(await typeOf(bytes, "a.gpx"), "application/gpx+xml");
      assert.ok(await isTaken(".gpx", bytes, "a.gpx"));
    }
  });

  it("is not what is known to be a binary file", async () => {
    for (const bytes of [
      GIF,
      file("MZ\x90\0"),
      file("BM\x3a\0"),
      zip(["a"]),
      file("%PDF-1.7\n%\xe2\xe3\0"),
      file("ID3\x03\0"),
    ])
      for (const name of ["a.txt", "a.csv"]) await assertRefused("paper", bytes, name);
  });

  it("is no picture, sound or film, whatever it begins with", async () => {
    for (const [text, name] of [
      ["BM<script>", "a.bmp"],
      ["GIF89a/*", "a.gif"],
      ["ID3<script>", "a.mp3"],
      ["MThd<script>", "a.mid"],
      ["GIF89a/*", "a"],
    ] as const) {
      for (const entry of ["image/*", "audio/*", `.${name.split(".")[1]}`])
        assert.ok(!(await isTaken(entry, text, name)), `${name} as ${entry}`);
    }
  });
});

describe("A group", () => {
  it("of images has no SVG, which has to be named", async () => {
    for (const svg of ["<svg/>", `${XML}<svg/>`, Buffer.from(`\ufeff${XML}<svg/>`, "utf16le"), `${XML}<svg>\xe9`]) {
      assert.ok(!(await isTaken("image/*", svg, "a.svg")));
      assert.ok(await isTaken("image/svg+xml", svg, "a.svg"));
      assert.ok(await isTaken(".svg", svg, "a.svg"));
    }
    assert.ok(!(await isTaken("image/*", file("\x1f\x8b\x08"), "a.svgz")));
    assert.ok(!(await isTaken("image/*", GIF, "a.svg")));
  });

  it("takes nothing by the extension alone, if its types have signatures", async () => {
    for (const name of ["a.tga", "a.djvu", "a.pcx", "a.dxf", "a.xbm"])
      assert.ok(!(await isTaken("image/*", HTML, name)), name);
    for (const name of ["a.au", "a.m3u", "a.mp3"]) assert.ok(!(await isTaken("audio/*", HTML, name)), name);
    for (const name of ["a.ts", "a.mts", "a.h264"]) assert.ok(!(await isTaken("video/*", "export {};", name)), name);
  });

  it("of texts takes them by the extension", async () => {
    for (const name of ["a.txt", "a.csv", "a.md", "a.ics"]) assert.ok(await isTaken("text/*", "a;b", name), name);
  });

  it("has the types of all formats of one family", async () => {
    assert.ok(await isTaken("audio/*", mp4("isom"), "a.m4a"));
    assert.ok(await isTaken("image/*", mp4("heis"), "a.heic"));
    assert.ok(!(await isTaken("image/*", mp4("isom"), "a.heic")));
  });
});

describe("A media type", () => {
  it("is not that of the format that an extension's is built on", async () => {
    assert.ok(!(await isTaken("application/zip", zip(["a"]), "a.jar")));
    assert.ok(!(await isTaken("application/xml", `${XML}<svg/>`, "a.svg")));
    assert.ok(!(await isTaken("application/xml", `${XML}<html/>`, "a.html")));
  });

  it("has several names", async () => {
    const OPUS = file(`OggS${"\0".repeat(24)}OpusHead`);
    assert.ok(await isTaken("audio/flac", file("fLaC\0"), "a.flac"));
    assert.ok(await isTaken("audio/x-flac", file("fLaC\0"), "a.flac"));
    assert.ok(await isTaken("text/vcard", "BEGIN:VCARD\n", "a.vcf"));
    assert.ok(await isTaken("audio/ogg", OPUS, "a"));
    assert.ok(await isTaken("video/mpeg", file("\0\0\x01\xba\x44"), "a"));
  });
});

describe("An Office document", () => {
  it("is not one of another kind", async () => {
    assert.ok(!(await isTaken(".docx", office("ms-word.document.macroEnabled"), "a.docx")));
    assert.ok(!(await isTaken(".docx", office("spreadsheetml.sheet"), "a.docx")));
  });
});

describe("The type that is decided", () => {
  it("runs nothing that the extension does not", async () => {
    for (const bytes of [
      `${XML}<svg/>`,
      `${XML}<html/>`,
      file("FWS\x08\0"),
      file("\0asm\x01"),
      "%!PS-Adobe-3.0",
      HTML,
    ]) {
      assert.equal(await typeOf(bytes, "a.png"), undefined);
      assert.match(String(await typeOf(bytes, "a.txt")), /^(?:text\/plain|undefined)$/);
    }
    assert.equal(await typeOf("GIF89a/*", "a.js"), "text/javascript");
  });

  it("is that of the bytes where these are harmless", async () => {
    assert.equal(await typeOf(GIF, "a.txt"), "image/gif");
    assert.equal(await typeOf(GIF, "a.unknown"), "image/gif");
    assert.equal(await typeOf(file(`OggS${"\0".repeat(24)}OpusHead`), "a"), "audio/ogg");
  });
});
