import assert from "node:assert/strict";
import { BeforeRemove, Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { archiveInMemoryOfSuite } from "../../support/archive.js";
import { describeOnEachDatabase, mariadb, postgres } from "../../support/databases.js";
import { it } from "../../support/suite.js";

let meanwhile: (() => Promise<unknown>) | undefined;

@Entity()
class Invoice {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: false }) approved!: boolean;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
  @BeforeRemove() async work() {
    await meanwhile?.();
  }
}

describeOnEachDatabase(
  "files.remove of rows that others change meanwhile",
  (database) => {
    const archive = archiveInMemoryOfSuite(database, { entities: [Invoice] }, [Invoice]);

    it("keeps a row, and its file, that has stopped matching before it is deleted, as delete does", async () => {
      const { manager } = archive.dataSource;
      const invoice = manager.create(Invoice, {});
      await archive.files.attach(invoice, "scan", Buffer.from("bytes"));
      await manager.save(invoice);
      let isApproved: unknown;
      let approving: Promise<unknown> | undefined;
      meanwhile = async () => {
        approving = archive.dataSource.query("UPDATE invoice SET approved = true").then(() => true);
        // Where the row is locked, the other transaction waits for this one.
        const late = new Promise((resolve) => setTimeout(resolve, 500, false));
        isApproved = await Promise.race([approving, late]);
        meanwhile = undefined;
      };
      await archive.files.remove(Invoice, { approved: false }).catch(() => {});
      await approving;
      // A row that was approved, and committed, before the DELETE has to be there; one that was locked may be removed.
      if (isApproved) assert.deepEqual([await manager.count(Invoice), (await archive.keys()).length], [1, 1]);
    });
  },
  [postgres, mariadb],
);
