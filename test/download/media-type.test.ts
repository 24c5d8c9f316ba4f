import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { after, before, describe, it } from "../support/suite.js";

const everybody = { nullable: true, attachment: false, condition: () => true };
let uploadTo: () => string;

@Entity()
class Picture {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: String, nullable: true }) title!: string | null;
  @PrivateFileColumn<Picture>({ ...everybody, uploadTo: () => uploadTo(), fields: { name: "title" } })
  file!: PrivateFile | null;
  @PrivateFileColumn<Picture>({ ...everybody, uploadTo: () => uploadTo(), filename: ({ title }) => title })
  titled!: PrivateFile | null;
}

@Entity()
class Note {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn(everybody) usual!: PrivateFile | null;
  @PrivateFileColumn({ ...everybody, charset: "windows-1252" }) western!: PrivateFile | null;
  @PrivateFileColumn({ ...everybody, charset: "Shift_JIS" }) japanese!: PrivateFile | null;
  @PrivateFileColumn({ ...everybody, charset: null }) unknown!: PrivateFile | null;
}

let application: Application;
before(async () => {
  application = await startApplication({
    entities: [Picture, Note],
    before: (app) =>
      app.use(async (ctx, next) => {
        const [, id, filename] = /^\/sent\/(\d+)\/(.*)$/.exec(decodeURI(ctx.path)) ?? [];
        if (!id) return next();
        const picture = await application.dataSource.manager.findOneByOrFail(Picture, { id: Number(id) });
        await application.files.send(ctx, picture, "file", { filename });
      }),
  });
});
after(() => application.close());

describe("the media type of a file", () => {
  const shown: [name: string, type: string][] = [
    ["photo.png", "image/png"],
    ["PHOTO.PNG", "image/png"],
    ["photo.html.png", "image/png"],
    ["photo.png\u200b", "image/png"],
    ["photo.png. ", "image/png"],
    ["scan.pdf", "application/pdf"],
    ["film.webm", "video/webm"],
    ["note.txt", "text/plain; charset=utf-8"],
    [".png", "image/png"],
  ];
  const saved: [name: string, type: string][] = [
    ["page.html", "application/octet-stream"],
    ["photo.png.html", "application/octet-stream"],
    ["drawing.svg", "application/octet-stream"],
    ["script.js", "application/octet-stream"],
    ["archive.zip", "application/zip"],
    ["photo.unheard-of", "application/octet-stream"],
    ["photo", "application/octet-stream"],

    ["photo.png\u202e.html", "application/octet-stream"],
  ];
  for (const extension of ["", ".unheard-of", ".bin"]) {
    const what = extension ? `has the extension ${extension}` : "has no extension";
    for (const [name, type] of [...shown, ...saved]) {
      it(`is that of the name that is offered where the key ${what}: ${JSON.stringify(name)} is ${type}`, async () => {
        uploadTo = () => randomUUID() + extension;
        const picture = await pictureWith("file", name);
        const { headers } = await application.get(application.files.url(picture, "file"));
        assert.equal(headers["content-type"], type);
        assert.equal(headers["x-content-type-options"], "nosniff");
        const isShown = shown.some(([one]) => one === name);
        assert.match(headers["content-disposition"]!, isShown ? /^inline;/ : /^attachment;/);
        assert.match(String(headers["content-security-policy"]), isShown ? /img-src 'self'/ : /sandbox/);
      });
    }
  }

  for (const [extension, type] of [
    [".pdf", "application/pdf"],
    [".html", "application/octet-stream"],
    [".zip", "application/zip"],
  ]) {
    it(`is that of the key where its extension is known, whatever name is offered: ${extension} is ${type}`, async () => {
      uploadTo = () => randomUUID() + extension;
      const picture = await pictureWith("file", "photo.png");
      const { headers } = await application.get(application.files.url(picture, "file"));
      assert.equal(headers["content-type"], type);
      assert.match(headers["content-disposition"]!, /^(inline|attachment); filename="photo\.png"$/);
    });
  }

  it("is that of the name that a filename gives, of the column or of send", async () => {
    uploadTo = randomUUID;
    const titled = await pictureWith("titled", "whatever", "holiday.jpg");
    const byColumn = await application.get(application.files.url(titled, "titled"));
    assert.equal(byColumn.headers["content-type"], "image/jpeg");
    const named = await pictureWith("file", "photo.png");
    const bySend = await application.get(`/sent/${named.id}/page.html`);
    assert.equal(bySend.headers["content-type"], "application/octet-stream");
    assert.equal(bySend.headers["content-disposition"], 'attachment; filename="page.html"');
  });
});

describe("the charset of a text", () => {
  const types: [property: "usual" | "western" | "japanese" | "unknown", charset: string][] = [
    ["usual", "; charset=utf-8"],
    ["western", "; charset=windows-1252"],
    ["japanese", "; charset=Shift_JIS"],
    ["unknown", ""],
  ];
  for (const [property, charset] of types) {
    it(`is what the column says, for all text types, whole and in parts, with HEAD and GET: "${charset}"`, async () => {
      for (const [extension, type] of [
        ["txt", "text/plain"],
        ["csv", "text/csv"],
        ["md", "text/markdown"],
      ]) {
        const url = await noteWith(property, `note.${extension}`);
        for (const method of ["GET", "HEAD"]) {
          const { headers } = await application.get(url, { method });
          assert.equal(headers["content-type"], type + charset);
        }
        const { body } = await application.get(url, { headers: { Range: "bytes=0-0,3-3" } });
        assert.ok(body.toString("latin1").includes(`Content-Type: ${type}${charset}\r\n`));
      }
    });
  }

  it("is not said of what is not a text; JSON is always in UTF-8", async () => {
    for (const [property, name, type] of [
      ["western", "a.png", "image/png"],
      ["western", "a.pdf", "application/pdf"],
      ["western", "a.html", "application/octet-stream"],
      ["western", "a.json", "application/json; charset=utf-8"],
      ["usual", "a.json", "application/json; charset=utf-8"],
      ["unknown", "a.json", "application/json"],
    ] as const) {
      const { headers } = await application.get(await noteWith(property, name));
      assert.equal(headers["content-type"], type);
    }
  });

  it("changes nothing of the bytes, with and without a byte order mark", async () => {
    for (const text of ["gr\xfc\xdfe", "\xef\xbb\xbfgr\xc3\xbc\xc3\x9fe"]) {
      const content = Buffer.from(text, "latin1");
      for (const [property] of types) {
        const { body } = await application.get(await noteWith(property, "note.txt", content));
        assert.deepEqual(body, content);
      }
    }
  });
});

async function pictureWith(property: "file" | "titled", filename: string, title?: string): Promise<Picture> {
  const { dataSource, files } = application;
  const picture = dataSource.manager.create(Picture, { title });
  await files.attach(picture, property, Buffer.from("bytes"), { filename });
  return dataSource.manager.save(picture);
}

/** The URL of a new note's file. */
async function noteWith(
  property: "usual" | "western" | "japanese" | "unknown",
  filename: string,
  content = Buffer.from("a text"),
): Promise<string> {
  const { dataSource, files } = application;
  const note = dataSource.manager.create(Note, {});
  await files.attach(note, property, content, { filename });
  await dataSource.manager.save(note);
  return files.url(note, property);
}
