import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { DataSource, EntityManager } from "typeorm";
import { PrivateFiles } from "typeorm-private-files";
import { describeOnEachDatabase, postgres } from "../support/databases.js";
import { afterEach, before, beforeEach, it } from "../support/suite.js";
import { LetterBox, Undo, undone } from "./letter-box.js";
import { Letter, reactions } from "./letters.js";

const RAW = { transaction: false };

/** A data source that signs in as a role that may do what a grant says. */
async function signIn(box: LetterBox, grant: string): Promise<DataSource> {
  const role = `private_files_${randomBytes(8).toString("hex")}`;
  await box.manager.query(`CREATE ROLE ${role} LOGIN`);
  box.beforeClose(() => box.manager.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
  await box.manager.query(`GRANT ${grant} ON letter TO ${role}; GRANT USAGE ON SEQUENCE letter_id_seq TO ${role}`);
  const url = new URL((box.dataSource.options as { url: string }).url);
  url.username = role;
  return (await box.neighbour({ url: url.href })).dataSource;
}

describeOnEachDatabase(
  "A tenant's transaction, with row-level security",
  (database) => {
    const box = LetterBox.ofSuite(database);
    let tenant: DataSource;
    let letter: Letter;
    before(async () => {
      await box.manager.query("ALTER TABLE letter ENABLE ROW LEVEL SECURITY");
      await box.manager.query(
        "CREATE POLICY tenant ON letter USING (title LIKE coalesce(nullif(current_setting('app.tenant', true), ''), '-') || '%')",
      );
      tenant = await signIn(box, "ALL");
    });
    beforeEach(async () => {
      letter = await box.saved("a1", "old");
    });

    const asTenant = <T>(work: (manager: EntityManager) => Promise<T>): Promise<T> =>
      tenant.transaction(async (inner) => {
        await inner.query("SELECT set_config('app.tenant', 'a', true)");
        return work(inner);
      });

    /** Puts the file of a row into another row of the tenant, as only SQL can do it. */
    async function copyRow(): Promise<void> {
      await box.manager.query("INSERT INTO letter (title, scan) SELECT 'a2', scan FROM letter");
    }

    it("deletes what it replaced and removed", async () => {
      await asTenant(async (inner) => {
        const loaded = await box.load(letter, inner);
        await inner.save(Object.assign(loaded, { scan: null }));
      });
      assert.deepEqual(await box.rows(), [["a1", null]]);
    });

    it("keeps a file that another of its rows names", async () => {
      await copyRow();
      await asTenant(async (inner) => inner.remove(await box.load(letter, inner)));
      assert.deepEqual(await box.rows(), [["a2", "old"]]);
    });

    it("keeps a file that another of its rows names, with COMMIT by hand", async () => {
      await copyRow();
      const runner = tenant.createQueryRunner();
      await runner.query("BEGIN");
      await runner.query("SELECT set_config('app.tenant', 'a', true)");
      await runner.manager.remove(await box.load(letter, runner.manager), RAW);
      await runner.query("COMMIT");
      await runner.release();
      assert.deepEqual(await box.rows(), [["a2", "old"]]);
    });

    it("keeps what a savepoint removed that is rolled back", async () => {
      await asTenant(async (inner) => {
        await undone(inner, async (nested) => nested.remove(await box.load(letter, nested)));
        await inner.save(Object.assign(await box.load(letter, inner), { title: "a3" }));
      });
      assert.deepEqual(await box.rows(), [["a3", "old"]]);
    });

    it("keeps an upload that a savepoint undid and that is saved again, and deletes what it replaced", async () => {
      const files = new PrivateFiles(tenant, { storage: box.storage });
      await asTenant(async (inner) => {
        const loaded = await box.attached("new", await box.load(letter, inner), files);
        await undone(inner, (nested) => nested.save(loaded));
        await inner.save(loaded);
      });
      assert.deepEqual(await box.rows(), [["a1", "new"]]);
    });

    it("keeps what it removed when it is rolled back", async () => {
      const removal = asTenant(async (inner) => {
        await inner.remove(await box.load(letter, inner));
        throw new Undo("Not today.");
      });
      await assert.rejects(removal, Undo);
      assert.deepEqual(await box.rows(), [["a1", "old"]]);
    });

    it("is refused a copy of an entity, and can go on", async () => {
      await asTenant(async (inner) => {
        const loaded = await box.load(letter, inner);
        const copy = inner.create(Letter, { ...loaded, id: undefined, title: "a2" });
        await assert.rejects(inner.save(copy), { code: "ERR_PRIVATE_FILE_OTHER_ROW" });
        await inner.save(Object.assign(loaded, { title: "a3" }));
      });
      assert.deepEqual(await box.rows(), [["a3", "old"]]);
    });
  },
  [postgres],
);

describeOnEachDatabase(
  "A transaction with a search path",
  (database) => {
    const box = LetterBox.ofSuite(database);
    beforeEach(async () => {
      await box.manager.query("CREATE SCHEMA tenant");
      await box.manager.query("CREATE TABLE tenant.letter (LIKE public.letter INCLUDING ALL)");
    });
    afterEach(() => box.manager.query("DROP SCHEMA tenant CASCADE"));

    const inTenant = <T>(work: (manager: EntityManager) => Promise<T>): Promise<T> =>
      box.manager.transaction(async (inner) => {
        await inner.query("SET LOCAL search_path TO tenant");
        return work(inner);
      });

    /** A row of each schema, with one primary key. */
    async function twins(): Promise<{ ours: Letter; theirs: Letter }> {
      const ours = await box.saved("ours");
      const theirs = await box.attached("theirs", box.manager.create(Letter, { id: ours.id, title: "theirs" }));
      await inTenant((inner) => inner.save(theirs));
      return { ours, theirs };
    }

    async function kept(files: number): Promise<void> {
      const rows = await box.manager.query("SELECT scan FROM letter UNION ALL SELECT scan FROM tenant.letter");
      for (const { scan } of rows) assert.ok(scan === null || (await box.has(scan)), "Each row has its file.");
      assert.equal((await box.keys()).length, files);
    }

    it("replaces and removes the files of its own schema", async () => {
      const { theirs } = await twins();
      await inTenant(async (inner) => inner.save(await box.attached("new", await box.load(theirs, inner))));
      await kept(2);
      await inTenant(async (inner) => inner.remove(await box.load(theirs, inner)));
      await kept(1);
    });

    it("keeps the file in its row, though a listener hides it and the row of that primary key is another afterwards", async () => {
      const { theirs } = await twins();
      reactions.onAfterUpdate = (letter) => Object.assign(letter, { scan: null });
      await inTenant(async (inner) => inner.save(Object.assign(await box.load(theirs, inner), { title: "b" })));
      await kept(2);
    });

    it("keeps a file that another row of its schema names", async () => {
      const { theirs } = await twins();
      await box.manager.query(
        "INSERT INTO tenant.letter (id, title, scan) SELECT id + 1, 'copy', scan FROM tenant.letter",
      );
      await inTenant(async (inner) => inner.remove(await box.load(theirs, inner)));
      await kept(2);
    });

    it("keeps a file that another row of its schema names, with COMMIT by hand", async () => {
      const { theirs } = await twins();
      await box.manager.query(
        "INSERT INTO tenant.letter (id, title, scan) SELECT id + 1, 'copy', scan FROM tenant.letter",
      );
      const runner = box.dataSource.createQueryRunner();
      await runner.query("BEGIN");
      await runner.query("SET LOCAL search_path TO tenant");
      await runner.manager.remove(await box.load(theirs, runner.manager), RAW);
      await runner.query("COMMIT");
      await runner.release();
      await kept(2);
    });

    it("is refused a file of the row of that primary key in the other schema", async () => {
      const { ours, theirs } = await twins();
      const values = { scan: (await box.load(ours)).scan! };
      await inTenant((inner) =>
        assert.rejects(inner.update(Letter, theirs.id, { id: theirs.id, ...values }), {
          code: "ERR_PRIVATE_FILE_OTHER_ROW",
        }),
      );
      await kept(2);
    });
  },
  [postgres],
);

describeOnEachDatabase(
  "A role that may only read and delete",
  (database) => {
    const box = LetterBox.ofSuite(database);
    let reader: DataSource;
    before(async () => {
      reader = await signIn(box, "SELECT, DELETE");
    });

    it("removes a row with its file", async () => {
      const letter = await box.saved("a");
      await reader.manager.remove(await box.load(letter, reader.manager));
      assert.deepEqual(await box.rows(), []);
    });
  },
  [postgres],
);
