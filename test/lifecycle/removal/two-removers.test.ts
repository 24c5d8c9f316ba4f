import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { archiveOfSuite } from "../../support/archive.js";
import { betterSqlite3, describeOnEachDatabase, mariadb, postgres } from "../../support/databases.js";
import { run } from "../../support/programs.js";
import { it } from "../../support/suite.js";
import { Comment, Contract, Department, Firm, families } from "./families.js";
import type { RemovalOrder } from "./two-removers-child.js";

const CHILD = fileURLToPath(new URL("./two-removers-child.js", import.meta.url));

describeOnEachDatabase(
  "Two processes that remove the same rows at once",
  (database) => {
    const archive = archiveOfSuite(database, { entities: families }, families);

    /** Saves a firm with contracts, and a tree of comments. */
    async function fill(code: string, count: number): Promise<void> {
      const { manager } = archive.dataSource;
      const firm = await manager.save(Firm, { code });
      const department = await manager.save(Department, { firm });
      const contracts = Array.from({ length: count }, () => manager.create(Contract, { department }));
      for (const contract of contracts) await archive.files.attach(contract, "scan", Buffer.from("bytes"));
      await manager.save(contracts);
      const comments = Array.from({ length: count }, (_, index) => manager.create(Comment, { id: `${code}${index}` }));
      for (const [index, comment] of comments.entries()) {
        comment.parent = comments[Math.floor(index / 2) - 1] ?? null;
        await archive.files.attach(comment, "picture", Buffer.from("bytes"));
      }
      await manager.save(comments);
    }

    for (const isOneTransaction of [false, true]) {
      const title = isOneTransaction ? "each in one transaction" : "page by page";
      it(`meet no error that an ordinary removal would not, and leave no file and lose none, ${title}`, async (t) => {
        await fill("a", 250);
        const removed = await archive.keys();
        const [kept] = [await archive.dataSource.manager.save(Firm, { code: "b" })];
        const department = await archive.dataSource.manager.save(Department, { firm: kept });
        const contract = archive.dataSource.manager.create(Contract, { department });
        const { key } = await archive.files.attach(contract, "scan", Buffer.from("bytes"));
        await archive.dataSource.manager.save(contract);
        assert.equal(removed.length, 500);
        const options = { ...archive.dataSource.options, entities: [], subscribers: [], synchronize: false };
        const order: RemovalOrder = { options, root: archive.storage.root, isOneTransaction };
        const children = [1, 2].map(() => run(process.execPath, CHILD, JSON.stringify(order)));
        for (const { stdout, stderr } of await Promise.all(children)) {
          assert.equal(stderr, "");
          t.diagnostic(`conflicts: ${stdout}`);
        }
        assert.equal(await archive.dataSource.manager.count(Comment), 0);
        assert.equal(await archive.dataSource.manager.count(Contract), 1);
        assert.deepEqual(await archive.keys(), [key]);
      });
    }
  },
  [betterSqlite3, postgres, mariadb],
);
