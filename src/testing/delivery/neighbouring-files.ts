import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { it } from "node:test";
import { content, Film } from "../fixture/film.js";
import type { Subject } from "./subject.js";

/** Files whose names look like other files, and files with others beside them. */
export function describeNeighbouringFiles({ withFilm }: Subject): void {
  it("is sent as it is, whatever its name would be decoded to", async (t) => {
    const { application } = await withFilm(t);
    const { files, storage, dataSource } = application;
    for (const name of NAMES) await storage.put(`docs/.d/${name}`, Readable.from([Buffer.from(`this is ${name}`)]));
    for (const name of NAMES) {
      const film = dataSource.manager.create(Film, {});
      await files.adopt(film, "file", `docs/.d/${name}`);
      await dataSource.manager.save(film);
      const answer = await application.get(files.url(film, "file"));
      assert.deepEqual([answer.status, answer.body.toString()], [200, `this is ${name}`], name);
    }
  });

  it("is sent as it is, whatever lies beside it for a client that takes it compressed", async (t) => {
    const { application, url, path } = await withFilm(t);
    for (const extension of [".gz", ".br", ".html", ".mp4"]) await writeFile(path + extension, "another file");
    for (const encoding of ["gzip", "br", "gzip, br, deflate, zstd", "*"]) {
      const answer = await application.get(url, { headers: { "Accept-Encoding": encoding } });
      assert.ok(answer.body.equals(content));
      assert.deepEqual([answer.headers["content-encoding"], answer.headers.vary], [undefined, undefined]);
    }
  });
}

/** Names that a server of static files takes for another file, or for none. */
const NAMES = [
  "..%2f..%2fsecret.pdf",
  "%41.pdf",
  "A.pdf",
  "100%.pdf",
  "a%2fb.pdf",
  "%2e%2e",
  ".env.pdf",
  "-rf",
  "a b.pdf",
  "a?b#c.pdf",
  "a+b&c=d.pdf",
  "Отчёт 報告.pdf",
  "'\"<>|*.pdf",
  "index.html",
];
