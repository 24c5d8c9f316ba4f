import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { koaSendDelivery, PrivateFile, PrivateFileColumn, streamDelivery } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { afterEach, beforeEach, describe, it } from "../support/suite.js";

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ condition: () => true, delivery: streamDelivery() }) streamed!: PrivateFile;
  @PrivateFileColumn({ condition: () => true, delivery: koaSendDelivery() }) sent!: PrivateFile;
}

describe("A row that another program wrote", () => {
  let application: Application;
  beforeEach(async () => {
    application = await startApplication({ entities: [Scan] });
    const path = join(application.storage.root, "uploads/a.pdf");
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "the first");
    await writeFile(join(dirname(application.storage.root), "secret.pdf"), "secret");
  });
  afterEach(() => application.close());

  /** The answers to the file of a row, by both deliveries. */
  async function answers(value: string) {
    const { dataSource, files, get } = application;
    await dataSource.query(`INSERT INTO scan (streamed, sent) VALUES ('${value}', '${value}')`);
    const [scan] = await dataSource.manager.find(Scan, { order: { id: "DESC" }, take: 1 });
    const urls = [files.url(scan!, "streamed"), files.url(scan!, "sent")];
    return { scan: scan!, answers: await Promise.all(urls.map((url) => get(url))) };
  }

  const SPELLINGS: [string, (root: string) => string][] = [
    ["two slashes", () => "uploads//a.pdf"],
    ["a dot at its beginning", () => "./uploads/a.pdf"],
    ["a dot inside", () => "uploads/./a.pdf"],
    ["a way back", () => "uploads/old/../a.pdf"],
    ["its absolute path below the storage's root", (root) => join(root, "uploads/a.pdf")],
  ];
  for (const [how, spell] of SPELLINGS) {
    it(`has its file served, with the same ETag, if it names the file with ${how}`, async () => {
      const plain = await answers("uploads/a.pdf");
      const spelled = await answers(spell(application.storage.root));
      for (const [index, answer] of spelled.answers.entries()) {
        assert.deepEqual([answer.status, answer.body.toString()], [200, "the first"]);
        assert.equal(answer.headers.etag, plain.answers[index]!.headers.etag);
      }
      assert.equal((await application.files.stat(spelled.scan, "streamed"))?.size, 9);
    });
  }

  it("is answered 404 if it names an upload of this package in another way, and a sweep keeps the upload", async () => {
    const { dataSource, files, storage } = application;
    const { key } = await files.attach(new Scan(), "streamed", Buffer.from("an upload"));
    const spelled = [`./${key}`, key.replace("/", "//"), join(storage.root, key)];
    for (const value of spelled) {
      for (const { status } of (await answers(value)).answers) assert.equal(status, 404);
    }
    const report = await files.sweep({ olderThan: 0, dryRun: false, force: true });
    assert.deepEqual([report.invalid, report.named, report.orphans], [spelled.length * 2, 1, 0]);
    assert.ok(await storage.stat(key));
    await dataSource.query("DELETE FROM scan");
  });

  it("is answered 404 if it names what is outside of the storage, or behind a link", async () => {
    const { root } = application.storage;
    await symlink(join(root, "uploads"), join(root, "current"));
    const outside = [
      "../secret.pdf",
      "uploads/../../secret.pdf",
      join(dirname(root), "secret.pdf"),
      join(root, "../secret.pdf"),
      `${root}-other/secret.pdf`,
      "/etc/passwd",
      "current/a.pdf",
      ".incomplete/../.incomplete/a.pdf",
      "./.incomplete/a.pdf",
    ];
    for (const value of outside) {
      for (const { status, body } of (await answers(value)).answers) {
        assert.deepEqual([value, status, body.toString()], [value, 404, "Not Found"]);
      }
    }
  });
});
