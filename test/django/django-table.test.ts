import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { posix } from "node:path";
import type { PrivateFileError } from "typeorm-private-files";
import { it } from "../support/suite.js";
import { mediaOf, SUBMISSIONS } from "./django-site.js";
import { Attachment, CountedDownload, FileSubmission, User } from "./models.js";
import { describeOnDjangoSite, type RunningSite } from "./running-site.js";

/** What the browser is offered for each row's file. */
const OFFERED: Record<number, string> = {
  1: 'filename="report.pdf"',
  2: `filename="uni code (1).pdf"; filename*=UTF-8''%C3%BC%C3%B1%C3%AD%20c%C3%B6d%C3%A9%20%281%29.pdf`,
  3: 'filename="report_x7Kq2Zb.pdf"',
  4: `filename="100% _it's_ a _41 name.pdf"; filename*=UTF-8''100%25%20%22it%27s%22%20a%20%2541%20name.pdf`,
  5: 'filename="nothing.txt"',
  6: 'filename="film.mp4"',
  7: 'filename="shared.pdf"',
  8: 'filename="shared.pdf"',
};

describeOnDjangoSite("a table and a folder that Django filled", (start) => {
  it("give each file byte for byte to its owner, under its own name, and stay as they are", async (t) => {
    const site = await start(t);
    const before = await mediaOf(site);
    for (const [id, offered] of Object.entries(OFFERED)) {
      const { owner, bytes } = SUBMISSIONS[Number(id) - 1]!;
      const url = site.files.url(await site.submission(Number(id)), "uploadedFile");
      const answer = await site.get(url, { as: owner });
      assert.equal(answer.status, 200, url);
      assert.ok(answer.body.equals(bytes!), url);
      assert.equal(answer.headers["content-length"], String(bytes!.length));
      assert.equal(answer.headers["content-disposition"], `attachment; ${offered}`);
      assert.equal(answer.headers["last-modified"], "Fri, 17 May 2024 09:30:00 GMT");
    }
    assert.deepEqual(await mediaOf(site), before);
  });

  it("give a part of a file to who asks for it", async (t) => {
    const { files, get, submission } = await start(t);
    const url = files.url(await submission(6), "uploadedFile");
    const answer = await get(url, { as: "alice", headers: { Range: "bytes=2999990-" } });
    assert.equal(answer.status, 206);
    assert.deepEqual(answer.body, SUBMISSIONS[5]!.bytes!.subarray(2_999_990));
  });

  it("give no file to anybody but its owner", async (t) => {
    const { files, get, submission } = await start(t);
    for (const id of Object.keys(OFFERED).map(Number)) {
      const { owner } = SUBMISSIONS[id - 1]!;
      const url = files.url(await submission(id), "uploadedFile");
      for (const as of [owner === "alice" ? "bob" : "alice", undefined]) {
        const answer = await get(url, { as });
        assert.deepEqual([answer.status, answer.body.toString()], [403, "Forbidden"], url);
      }
    }
  });

  it("answer 404 for a row whose file is gone, and tell the application which key that was", async (t) => {
    const { files, get, errors, submission } = await start(t);
    const answer = await get(files.url(await submission(9), "uploadedFile"), { as: "alice" });
    assert.deepEqual([answer.status, answer.body.toString()], [404, "Not Found"]);
    assert.equal((errors[0] as PrivateFileError).code, "ERR_PRIVATE_FILE_MISSING");
    assert.match(errors[0]!.message, /uploads\/gone\.pdf/);
  });

  it("have no file where Django wrote an empty text, or there is NULL: null in the entity, no URL, 404", async (t) => {
    const { files, get, dataSource, submission } = await start(t);
    const empty = await submission(10);
    assert.equal(empty.uploadedFile, null);
    assert.throws(() => files.url(empty, "uploadedFile"), { code: "ERR_PRIVATE_FILE_NOT_FOUND" });
    const attachments = await dataSource.manager.find(Attachment);
    assert.deepEqual(
      attachments.map(({ file }) => file),
      [null, null],
    );
    for (const path of ["file-submission/uploaded-file/10", "attachment/file/1", "attachment/file/2"]) {
      assert.equal((await get(`/private-files/${path}/report.pdf`, { as: "alice" })).status, 404, path);
    }
  });

  it("keep the empty text of a row whose other columns are saved", async (t) => {
    const { dataSource, submission, storedText } = await start(t);
    await dataSource.manager.save(Object.assign(await submission(10), { description: "still without a file" }));
    assert.equal(await storedText(10), "");
  });

  it("take an empty text from SQL where the column refuses the NULL that detach means", async (t) => {
    const { dataSource, files, submission, storedText } = await start(t);
    const detached = await submission(1);
    files.detach(detached, "uploadedFile");
    await assert.rejects(dataSource.manager.save(detached), /NOT NULL/);
    const { owner } = detached;
    const without = dataSource.manager.create(FileSubmission, { description: "without a file", owner });
    await assert.rejects(dataSource.manager.save(without), /NOT NULL/);
    assert.equal(await storedText(1), "uploads/report.pdf");
    await dataSource.manager.update(FileSubmission, 1, { uploadedFile: () => "''" });
    assert.equal(await storedText(1), "");
    assert.equal((await submission(1)).uploadedFile, null);
  });

  it("count downloads in Django's own column", async (t) => {
    const { dataSource, files, get } = await start(t);
    const counted = await dataSource.manager.findOneByOrFail(CountedDownload, { id: 1 });
    const url = files.url(counted, "downloadable");
    await Promise.all(Array.from({ length: 20 }, () => get(url, { as: "bob" })));
    const [row] = await dataSource.query(`SELECT "downloads" FROM "app_counteddownload"`);
    assert.equal(row.downloads, 61);
  });

  it("take a new file in place of an old one, under a key that fits varchar(100), however long its name", async (t) => {
    const site = await start(t);
    for (const [id, filename] of [
      [1, "report 2.pdf"],
      [2, `${"a long name ".repeat(20)}.pdf`],
      [5, `${"日本".repeat(60)}.tar.gz`],
      [9, "found again.pdf"],
    ] as const) {
      const submission = await site.submission(id);
      const oldUrl = site.files.url(submission, "uploadedFile");
      const bytes = Buffer.from(`the new bytes of ${filename}`);
      await site.files.attach(submission, "uploadedFile", bytes, { filename });
      await site.dataSource.manager.save(submission);
      assert.deepEqual(await asDjangoReads(site, id), bytes);
      const answer = await site.get(site.files.url(submission, "uploadedFile"), { as: "alice" });
      assert.deepEqual([answer.status, answer.body], [200, bytes]);
      assert.equal((await site.get(oldUrl, { as: "alice" })).status, 404);
    }
  });

  it("take new rows beside the old ones", async (t) => {
    const site = await start(t);
    const { dataSource, files, get, storedText } = site;
    const owner = await dataSource.manager.findOneByOrFail(User, { username: "bob" });
    const submission = dataSource.manager.create(FileSubmission, { description: "by TypeORM", owner });
    await files.attach(submission, "uploadedFile", Buffer.from("new"), { filename: "report.pdf" });
    await dataSource.manager.save(submission);
    assert.equal(submission.id, SUBMISSIONS.length + 1);
    assert.deepEqual(await asDjangoReads(site, submission.id), Buffer.from("new"));
    assert.equal((await get(files.url(submission, "uploadedFile"), { as: "bob" })).status, 200);
    for (const [index, { value }] of SUBMISSIONS.entries()) assert.equal(await storedText(index + 1), value);
  });

  it("keep their schema, whatever is read, saved and removed", async (t) => {
    const { dataSource, files, get, submission } = await start(t);
    const schema = () => dataSource.query("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name");
    const before = await schema();
    assert.ok(before.length > 5);
    const one = await submission(1);
    await get(files.url(one, "uploadedFile"), { as: "alice" });
    await files.attach(one, "uploadedFile", Buffer.from("new"), { filename: "new.pdf" });
    await dataSource.manager.save(one);
    await dataSource.manager.remove(await submission(2));
    assert.deepEqual(await schema(), before);
  });

  it("get files of Django's mode where the storage is told it, and keep that of the old ones", async (t) => {
    const { dataSource, files, storage, submission } = await start(t, { fileMode: 0o644, folderMode: 0o755 });
    const one = await submission(1);
    const { key } = await files.attach(one, "uploadedFile", Buffer.from("new"), { filename: "new.pdf" });
    await dataSource.manager.save(one);
    const modes = [key, posix.dirname(key), "uploads/report_x7Kq2Zb.pdf"].map(async (path) => {
      return (await stat(storage.path(path))).mode & 0o777;
    });
    assert.deepEqual(await Promise.all(modes), [0o644 & ~process.umask(), 0o755 & ~process.umask(), 0o644]);
  });
});

/** Reads a row's file as `FieldFile.open` does: the column's text is a normal path below MEDIA_ROOT, of 100 characters at most. */
async function asDjangoReads({ mediaRoot, storedText }: RunningSite, id: number): Promise<Buffer> {
  const value = (await storedText(id))!;
  assert.ok([...value].length <= 100, value);
  const path = posix.join(mediaRoot, value);
  assert.equal(posix.relative(mediaRoot, path), value);
  assert.match(value, /^uploads\//);
  return readFile(path);
}
