import assert from "node:assert/strict";
import { AfterRemove, Column, Entity, ManyToOne, PrimaryGeneratedColumn, type Relation } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { archiveInMemoryOfSuite } from "../../support/archive.js";
import { betterSqlite3, describeOnEachDatabase, sqljs } from "../../support/databases.js";
import { it } from "../../support/suite.js";

let removed: (() => void) | undefined;

@Entity()
class Customer {
  @PrimaryGeneratedColumn() id!: number;
}

@Entity()
class Receipt {
  @PrimaryGeneratedColumn() id!: number;
  @Column() n!: number;
  @ManyToOne(() => Customer, { onDelete: "CASCADE" }) customer!: Relation<Customer> | null;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
  @AfterRemove() tell() {
    removed?.();
  }
}

describeOnEachDatabase(
  "files.remove on the one connection of SQLite",
  (database) => {
    const archive = archiveInMemoryOfSuite(database, { entities: [Customer, Receipt] }, [Receipt, Customer]);

    it("leaves no transaction open when a caller's transaction and two other removals run at once", async () => {
      const { dataSource, files } = archive;
      for (let n = 0; n < 5; n++) await dataSource.manager.save(Receipt, { n });
      const all = await Promise.allSettled([
        files.remove(Receipt, { n: 0 }),
        files.remove(Receipt, { n: 1 }),
        dataSource.transaction(async (manager) => {
          await files.remove(Receipt, { n: 3 }, { manager });
        }),
      ]);
      const isOpen = dataSource.createQueryRunner().isTransactionActive;
      for (let left = 10; left > 0 && dataSource.createQueryRunner().isTransactionActive; left--) {
        await dataSource
          .createQueryRunner()
          .rollbackTransaction()
          .catch(() => {});
      }
      const reasons = all.map((one) => (one.status === "rejected" ? String(one.reason) : "removed"));
      assert.deepEqual({ isOpen, reasons }, { isOpen: false, reasons: ["removed", "removed", "removed"] });
    });

    it("ends between the pages of rows that go with a row when its signal is aborted", async () => {
      const { dataSource, files } = archive;
      const customer = await dataSource.manager.save(dataSource.manager.create(Customer, {}));
      await dataSource.manager.insert(
        Receipt,
        Array.from({ length: 500 }, (_, n) => ({ n, customer })),
      );
      const controller = new AbortController();
      removed = () => controller.abort(new Error("enough"));
      const removing = files.remove(Customer, customer.id, { signal: controller.signal });
      await assert.rejects(removing, /enough/).finally(() => (removed = undefined));
    });
  },
  [sqljs, betterSqlite3],
);
