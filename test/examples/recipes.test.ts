import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { DataSource, EntityManager } from "typeorm";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { Contract, duplicate } from "../../docs/examples/recipes/duplicate.js";
import { Draft, Publication, publish } from "../../docs/examples/recipes/publish.js";
import { KeepVersions, Report, ReportVersion } from "../../docs/examples/recipes/versions.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { fencesOf } from "../support/markdown.js";
import { after, afterEach, before, describe, it } from "../support/suite.js";
import { deleteAll } from "../support/typeorm.js";

describeOnEachDatabase("The recipes", (database) => {
  let folder: string;
  let storage: DiskStorage;
  let dataSource: DataSource;
  let manager: EntityManager;
  let files: PrivateFiles;
  let close: () => Promise<void>;
  before(async () => {
    ({ dataSource, close } = await database.open({ entities: [Contract, Draft, Publication, Report, ReportVersion] }));
    manager = dataSource.manager;
    folder = await mkdtemp(join(tmpdir(), "private-files-"));
    storage = new DiskStorage(join(folder, "files"));
    files = new PrivateFiles(dataSource, { storage });
    dataSource.subscribers.push(new KeepVersions(files));
  });
  afterEach(async () => {
    for (const entity of [Contract, Draft, Publication, Report, ReportVersion]) await deleteAll(manager, entity);
    for (const key of await keys()) await storage.delete(key);
  });
  after(async () => {
    await close();
    await rm(folder, { recursive: true });
  });

  async function keys(): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of storage.list("")) found.push(key);
    return found.sort();
  }

  it("duplicate a row with a file of its own", async () => {
    const contract = manager.create(Contract, { title: "lease" });
    await files.attach(contract, "document", Buffer.from("lease"), { filename: "lease.pdf" });
    await manager.save(contract);
    const copy = await duplicate(files, manager.getRepository(Contract), contract);
    await manager.remove(contract);
    assert.deepEqual([copy.title, copy.document!.name], ["lease (copy)", "lease.pdf"]);
    assert.deepEqual(await keys(), [copy.document!.key]);
    const empty = await manager.save(manager.create(Contract, { title: "empty" }));
    assert.ok((await duplicate(files, manager.getRepository(Contract), empty)).id > empty.id);
  });

  it("publish a draft: its file goes with it, and comes back when that fails", async (t) => {
    const draft = manager.create(Draft, { title: "news" });
    await files.attach(draft, "text", Buffer.from("news"), { filename: "news.pdf" });
    await manager.save(draft);
    const failing = t.mock.method(EntityManagerOf(manager), "remove", () => Promise.reject(new Error("no")));
    await assert.rejects(publish(files, dataSource, draft), /no/);
    failing.mock.restore();
    assert.equal(await text(await files.open(await manager.findOneByOrFail(Draft, {}), "text")), "news");
    assert.equal(await manager.count(Publication), 0);
    const { key } = draft.text;
    const publication = await publish(files, dataSource, draft);
    assert.equal(await text(await files.open(publication, "text")), "news");
    assert.equal(await storage.stat(key), undefined);
    assert.equal(await manager.count(Draft), 0);
  });

  it("keep each version of a file in a row of its own, unless the replacement is rolled back", async () => {
    const report = new Report();
    for (const content of ["first", "second", "third"]) {
      await files.attach(report, "document", Buffer.from(content));
      await manager.save(report);
    }
    await files.attach(report, "document", Buffer.from("fourth"));
    const rolledBack = manager.transaction(async (inner) => {
      await inner.save(report);
      throw new Error("rolled back");
    });
    await assert.rejects(rolledBack, /rolled back/);
    const versions = await manager.find(ReportVersion, { order: { id: "ASC" } });
    const contents = versions.map(async (version) => text(await files.open(version, "document")));
    assert.deepEqual(await Promise.all(contents), ["first", "second"]);
    assert.equal(await text(await files.open(await manager.findOneByOrFail(Report, {}), "document")), "third");
    await files.sweep({ olderThan: 0, dryRun: false });
    assert.equal((await keys()).length, 3);
  });
});

/** The class of an entity manager: a transaction makes another one. */
function EntityManagerOf(manager: EntityManager): EntityManager {
  return Object.getPrototypeOf(manager);
}

describe("docs/recipes.md", () => {
  it("shows the recipes as they are run", async () => {
    const docs = resolve(import.meta.dirname, "../../../docs");
    const fences = fencesOf(await readFile(join(docs, "recipes.md"), "utf8")).map(({ code }) => code);
    for (const name of ["duplicate", "publish", "versions"]) {
      assert.ok(fences.includes(await readFile(join(docs, `examples/recipes/${name}.ts`), "utf8")), name);
    }
  });
});
