import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Column, type DataSource, Entity, Index, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, PrivateFiles, type Problem } from "typeorm-private-files";
import { describeOnEachDatabase, mariadb, postgres, reopen } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { afterEach, beforeEach, it } from "../support/suite.js";
import { openSweepFixture, type SweepFixture } from "../support/sweep-fixture.js";
import { brief, checked } from "./checked.js";

@Entity()
class Bill {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: "" }) note!: string;
  @Index()
  @PrivateFileColumn({ uploadTo: "bills", length: 200 })
  scan!: PrivateFile;
}

@Entity({ schema: "vault" })
class Deed {
  @PrimaryGeneratedColumn() id!: number;
  @Index()
  @PrivateFileColumn({ uploadTo: "deeds" })
  scan!: PrivateFile;
}

describeOnEachDatabase(
  "PrivateFiles.check as a user with few rights",
  (database) => {
    const isPostgres = database.name === "PostgreSQL";
    let fixture: SweepFixture;
    let user: string;
    let name: string;
    let signedIn: DataSource[];

    beforeEach(async () => {
      fixture = await openSweepFixture({ entities: [Bill] }, database);
      user = `private_files_${randomBytes(6).toString("hex")}`;
      signedIn = [];
      name = new URL((fixture.dataSource.options as { url: string }).url).pathname.slice(1);
      await fixture.dataSource.query("INSERT INTO bill (scan) VALUES ('uploads/old.pdf')");
      await fixture.dataSource.query(isPostgres ? `CREATE ROLE ${user} LOGIN` : `CREATE USER ${user}@'%'`);
    });

    afterEach(async () => {
      for (const dataSource of signedIn) await dataSource.destroy();
      if (isPostgres) await fixture.dataSource.query(`DROP OWNED BY ${user}`);
      await fixture.dataSource.query(isPostgres ? `DROP ROLE ${user}` : `DROP USER ${user}@'%'`);
      await fixture.close();
    });

    /** Checks as the user, which has these rights. */
    async function checkWith(rights: string[], changes: object = {}): Promise<Problem[]> {
      for (const right of rights)
        await fixture.dataSource.query(`GRANT ${right} TO ${isPostgres ? user : `${user}@'%'`}`);
      const url = new URL((fixture.dataSource.options as { url: string }).url);
      url.username = user;
      const dataSource = await reopen(fixture.dataSource, { url: url.href, ...changes });
      signedIn.push(dataSource);
      return checked({ files: new PrivateFiles(dataSource, { storage: new MemoryStorage() }) });
    }

    const bill = isPostgres ? "bill" : "`bill`";
    const foreign = "info FOREIGN_OBJECTS Bill.scan";

    it("finds what an owner finds, with what an application needs", async () => {
      const rights = [`SELECT, INSERT, UPDATE, DELETE ON ${bill}`];
      assert.deepEqual(brief(await checkWith(rights)), [foreign]);
    });

    it("finds the same with SELECT alone", async () => {
      assert.deepEqual(brief(await checkWith([`SELECT ON ${bill}`])), [foreign]);
    });

    it("finds the same with SELECT on the columns that it reads", async () => {
      assert.deepEqual(brief(await checkWith([`SELECT (id, scan) ON ${bill}`])), [foreign]);
    });

    it("says that the rows are not checked where the primary key can't be read", async () => {
      const problems = await checkWith([`SELECT (scan) ON ${bill}`]);
      assert.deepEqual(brief(problems), ["warning NOT_CHECKED Bill.scan"]);
      assert.match(problems[0]!.message, /show its rows, .*denied/);
    });

    it("says that a column which can't be read is not checked, and still sees how long it is and that it has an index", async () => {
      await fixture.dataSource.query(
        isPostgres
          ? "ALTER TABLE bill ALTER scan TYPE varchar(90)"
          : "ALTER TABLE bill MODIFY scan varchar(90) NOT NULL",
      );
      const problems = await checkWith([`SELECT (id, note) ON ${bill}`, `INSERT (scan) ON ${bill}`]);
      assert.deepEqual(brief(problems), [
        "warning NOT_CHECKED Bill.scan",
        "error COLUMN_SHORTER_THAN_DECLARED Bill.scan",
      ]);
      assert.match(problems[0]!.message, /show the column, .*denied/);
    });

    it("says that a table is not checked on which it has no rights, but that one is missing which is", async () => {
      const rights = isPostgres ? [] : [`INSERT ON ${bill}`];
      assert.deepEqual(brief(await checkWith(rights)), ["warning NOT_CHECKED Bill.scan"]);
      await fixture.dataSource.query("DROP TABLE bill");
      // To a user without rights on it MariaDB does not tell whether a table is there.
      if (!isPostgres) await fixture.dataSource.query(`GRANT SELECT ON ${name}.* TO ${user}@'%'`);
      assert.deepEqual(brief(await checkWith([])), ["error TABLE_MISSING Bill.scan"]);
    });

    if (isPostgres) {
      it("says that not all rows are checked where row-level security may hide some", async () => {
        await fixture.dataSource.query("ALTER TABLE bill ENABLE ROW LEVEL SECURITY");
        await fixture.dataSource.query("CREATE POLICY none ON bill USING (scan = 'uploads/old.pdf')");
        assert.deepEqual(brief(await checkWith(["SELECT ON bill"])), [foreign, "warning NOT_CHECKED Bill.scan"]);
        assert.deepEqual(brief(await checked(fixture)), [foreign]);
      });

      it("says that a table is not checked whose schema it may not use, named by the entity or by the search path", async () => {
        await fixture.dataSource.query("CREATE SCHEMA vault; CREATE TABLE vault.deed (id int, scan varchar)");
        await fixture.dataSource.query("ALTER TABLE bill SET SCHEMA vault");
        const problems = await checkWith(["SELECT ON ALL TABLES IN SCHEMA vault"], {
          entities: [Bill, Deed],
          extra: { options: "-c search_path=public,vault" },
        });
        assert.deepEqual(brief(problems), [
          "warning NOT_CHECKED Bill.scan",
          "warning NOT_CHECKED Deed.scan",
          "warning COLUMN_WITHOUT_INDEX Deed.scan",
        ]);
        for (const { message } of problems.slice(0, 2)) assert.match(message, /permission denied for schema vault/);
      });
    }
  },
  [postgres, mariadb],
);
