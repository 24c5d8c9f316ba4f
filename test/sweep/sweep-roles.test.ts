import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { DataSource, type DataSourceOptions, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, PrivateFiles } from "typeorm-private-files";
import { postgres, sqljs } from "../support/databases.js";
import { describe, it } from "../support/suite.js";
import { keyIn, keysOf, openSweepFixture, putOld } from "../support/sweep-fixture.js";

/** As bundlers call a second class of one name. */
@Entity("invoice$1")
class Invoice {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "invoices", nullable: true }) scan!: PrivateFile | null;
}

@Entity("letter$1")
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "letters", nullable: true }) scan!: PrivateFile | null;
}

describe("A table whose name has a dollar and a digit", { skip: postgres.skip }, () => {
  it("does not keep removed files from being deleted, nor a sweep from working", async (t) => {
    const { dataSource, files, storage, close } = await openSweepFixture({ entities: [Invoice, Letter] }, postgres);
    t.after(close);
    const letter = new Letter();
    await files.attach(letter, "scan", Buffer.from("bytes"));
    await dataSource.manager.save(letter);
    await dataSource.manager.remove(letter);
    assert.deepEqual(await keysOf(storage), []);
    await putOld(storage, keyIn("letters"));
    assert.equal((await files.sweep({ dryRun: false, force: true })).removed, 1);
  });
});

describe("A sweep", () => {
  it("refuses an empty prefix, such as one from a variable that is not set: it would cover every foreign object", async (t) => {
    const { dataSource, files, storage, close } = await openSweepFixture({ entities: [Letter] }, sqljs);
    t.after(close);
    const named = await putOld(storage, keyIn("letters"));
    const foreign = await putOld(storage, "imports/tax.pdf");
    await dataSource.query(`INSERT INTO "letter$1" (scan) VALUES ('${named}')`);
    await files.sweep({ dryRun: false, prefixes: [""] }).catch(() => {});
    assert.deepEqual(await keysOf(storage), [foreign, named].sort());
  });
});

describe("A sweep of a pool in which some connections have another role", { skip: postgres.skip }, () => {
  it("keeps what a connection that is asked later can't see", async (t) => {
    const { dataSource, storage, close } = await openSweepFixture({ entities: [Letter] }, postgres);
    t.after(close);
    const role = `private_files_${randomBytes(8).toString("hex")}`;
    await dataSource.query(`CREATE ROLE ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role};
      ALTER TABLE "letter$1" ENABLE ROW LEVEL SECURITY; CREATE POLICY part ON "letter$1" USING (id = 1)`);
    const keys = [await putOld(storage, keyIn("letters")), await putOld(storage, keyIn("letters"))].sort();
    for (const key of keys) await dataSource.query(`INSERT INTO "letter$1" (scan) VALUES ('${key}')`);
    const options = { ...dataSource.options, synchronize: false, extra: { max: 2 } } as DataSourceOptions;
    const pooled = await new DataSource(options).initialize();
    const files = new PrivateFiles(pooled, { storage });
    const [all, some] = [pooled.createQueryRunner(), pooled.createQueryRunner()];
    await all.connect();
    await some.query(`SET ROLE ${role}`); // a request that forgets to reset it
    await all.release();
    let isTaken = false;
    pooled.subscribers.push({
      // The other connection serves a request from now on.
      async afterQuery({ query }) {
        if (isTaken || !query.includes("array_agg(nspname")) return;
        isTaken = true;
        pooled
          .createQueryRunner()
          .connect()
          .then(() => some.release());
      },
    });
    await files.sweep({ dryRun: false }).catch(() => {});
    const left = await keysOf(storage);
    await Promise.race([pooled.destroy(), new Promise((resolve) => setTimeout(resolve, 300))]);
    await dataSource.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    assert.deepEqual(left, keys);
  });
});
