import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "koa";
import {
  Column,
  Entity,
  EventSubscriber,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  Repository,
} from "typeorm";
import {
  type BeforeDownloadEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
} from "typeorm-private-files";
import { type Application, startApplication } from "./support/application.js";
import { describeOnEachDatabase, type TestDatabase } from "./support/databases.js";
import { it } from "./support/suite.js";

@Entity()
class User {
  @PrimaryColumn({ length: 50 }) id!: string;
}

function isOwner(ctx: Context, submission: OwnedSubmission): boolean {
  return submission.owner.id === ctx.state.user?.id;
}

@Entity()
class FileSubmission {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ length: 200 }) description!: string;
  @PrivateFileColumn({ uploadTo: "uploads" }) uploadedFile!: PrivateFile;
}

@Entity()
class OwnedSubmission {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ length: 200 }) description!: string;
  @ManyToOne(() => User, { nullable: false }) owner!: Relation<User>;

  @PrivateFileColumn<OwnedSubmission>({ uploadTo: "uploads", condition: isOwner, relations: { owner: true } })
  uploadedFile!: PrivateFile;
}

@Entity()
class Poster {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "posters", attachment: false }) image!: PrivateFile;
}

@Entity()
class CountedDownload {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ length: 200 }) description!: string;
  @PrivateFileColumn({ uploadTo: "downloadables" }) downloadable!: PrivateFile;
  @Column({ default: 0 }) downloads!: number;
}

@EventSubscriber()
class DownloadCounter implements PrivateFileSubscriber<CountedDownload> {
  listenTo() {
    return CountedDownload;
  }
  async beforeDownload(event: BeforeDownloadEvent<CountedDownload>) {
    if (!event.begins) return;
    await event.manager.increment(CountedDownload, { id: event.entity.id }, "downloads", 1);
  }
}

const model = {
  entities: [User, FileSubmission, OwnedSubmission, Poster, CountedDownload],
  subscribers: [DownloadCounter],
};
const bytes = Buffer.from("%PDF-1.7 the bytes of a report");

describeOnEachDatabase("the examples of django-private-files' documentation", (database) => {
  it("send the plain field to a signed-in user as an attachment, and nothing to anybody else", async (t) => {
    const { application, url } = await withFile(t, database, FileSubmission, "uploadedFile", {
      description: "a report",
    });
    const answer = await application.get(url, { as: "anybody" });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, bytes);
    assert.equal(answer.headers["content-disposition"], 'attachment; filename="report.pdf"');
    assert.equal(answer.headers["content-type"], "application/pdf");

    const refused = await application.get(url);
    assert.equal(refused.status, 403);
    assert.equal(refused.body.toString(), "Forbidden");
    assert.equal(refused.headers["content-disposition"], undefined);
    assert.equal(refused.headers.etag, undefined);
  });

  it("send the field with is_owner to its owner with 200, and refuse a stranger with 403", async (t) => {
    const owner = { id: "alice" };
    const { application, url } = await withFile(t, database, OwnedSubmission, "uploadedFile", {
      description: "hers",
      owner,
    });
    const toOwner = await application.get(url, { as: "alice" });
    assert.equal(toOwner.status, 200);
    assert.deepEqual(toOwner.body, bytes);
    const toStranger = await application.get(url, { as: "bob" });
    assert.equal(toStranger.status, 403);
    assert.equal(toStranger.body.includes(bytes), false);
    assert.equal((await application.get(url)).status, 403);
  });

  it("let the browser show a field with attachment: false", async (t) => {
    const { application, url } = await withFile(t, database, Poster, "image", {});
    const answer = await application.get(url, { as: "anybody" });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, bytes);
    assert.equal(answer.headers["content-disposition"], 'inline; filename="report.pdf"');
  });

  it("count each download, and neither a HEAD, a 304, a refusal nor a resumed part", async (t) => {
    const { application, url, entity } = await withFile(t, database, CountedDownload, "downloadable", {
      description: "x",
    });
    const { etag } = (await application.get(url, { as: "anybody" })).headers;
    await application.get(url, { as: "anybody" });
    await application.get(url, { as: "anybody", method: "HEAD" });
    await application.get(url, { as: "anybody", headers: { "If-None-Match": etag } });
    await application.get(url, { as: "anybody", headers: { "If-Match": '"another"' } });
    await application.get(url, { as: "anybody", headers: { Range: "bytes=99999-" } });
    await application.get(url, { as: "anybody", headers: { Range: "bytes=5-" } });
    await application.get(url);
    const { downloads } = await application.dataSource.manager.findOneByOrFail(CountedDownload, { id: entity.id });
    assert.equal(downloads, 2);
  });

  it("count 1,000 downloads at once as 1,000", async (t) => {
    const { application, url, entity } = await withFile(t, database, CountedDownload, "downloadable", {
      description: "x",
    });
    const answers = await Promise.all(Array.from({ length: 1000 }, () => application.get(url, { as: "anybody" })));
    assert.equal(answers.filter((answer) => answer.status === 200 && answer.body.equals(bytes)).length, 1000);
    const { downloads } = await application.dataSource.manager.findOneByOrFail(CountedDownload, { id: entity.id });
    assert.equal(downloads, 1000);
  });
});

describeOnEachDatabase("a table and a folder that Django filled", (database) => {
  it("are served as they are, whatever the names look like", async (t) => {
    const application = await startApplication({ database, ...model });
    t.after(() => application.close());
    const { dataSource, files, storage } = application;
    const names = [
      "report.pdf",
      "report_x7Kq2Zb.pdf",
      "Año 100%.pdf",
      "%41.pdf",
      "..%2f..%2fetc",
      "a (1), b.tar.gz",
      ".hidden",
    ];
    for (const [index, name] of names.entries()) {
      const key = `uploads/${name}`;
      await mkdir(join(storage.root, "uploads"), { recursive: true });
      await writeFile(join(storage.root, key), name);
      const row = { description: name, uploadedFile: () => ":key" };
      const insert = dataSource.createQueryBuilder().insert().into(FileSubmission).values(row);
      await insert.setParameter("key", key).execute();
      const submission = await dataSource.manager.findOneByOrFail(FileSubmission, { id: index + 1 });
      const answer = await application.get(files.url(submission, "uploadedFile"), { as: "anybody" });
      assert.deepEqual([answer.status, answer.body.toString()], [200, name]);
    }
  });
});

/** Saves an entity with a file the way an application does, and starts the application. */
async function withFile<E extends { id: number }>(
  t: { after(fn: () => Promise<void>): void },
  database: TestDatabase,
  entityClass: new () => E,
  property: string,
  values: object,
): Promise<{ application: Application; url: string; entity: E }> {
  const application = await startApplication({ database, ...model });
  t.after(() => application.close());
  const { dataSource, files } = application;
  await dataSource.manager.insert(User, [{ id: "alice" }, { id: "bob" }]);
  const repository: Repository<E> = dataSource.getRepository(entityClass);
  const entity = repository.create(values as never) as unknown as E;
  await files.attach(entity, property as never, bytes, { filename: "report.pdf" });
  await repository.save(entity as never);
  return { application, url: files.url(entity, property as never), entity };
}
