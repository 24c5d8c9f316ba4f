import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { betterSqlite3, describeOnEachDatabase, mariadb, postgres } from "../support/databases.js";
import { run } from "../support/programs.js";
import { it } from "../support/suite.js";
import { LetterBox } from "./letter-box.js";
import { Letter } from "./letters.js";
import type { ChangeOrder } from "./two-processes-child.js";

const CHILD = fileURLToPath(new URL("./two-processes-child.js", import.meta.url));

describeOnEachDatabase(
  "Two processes that change the same rows at random",
  (database) => {
    const box = LetterBox.ofSuite(database);

    it("lose no file of a row, have none in two rows, and leave to a sweep what was never certain", async (t) => {
      for (const title of ["a", "b", "c", "d"]) await box.saved(title);
      const options = { ...box.dataSource.options, entities: [], subscribers: [], synchronize: false };
      const order: ChangeOrder = { options, root: box.storage.root, transactions: 40 };
      const children = [1, 2].map(() => run(process.execPath, CHILD, JSON.stringify(order)));
      for (const { stdout, stderr } of await Promise.all(children)) {
        assert.equal(stderr, "");
        t.diagnostic(`errors: ${stdout}`);
      }
      const letters = await box.manager.find(Letter);
      const named = letters.flatMap(({ scan }) => scan?.key ?? []).sort();
      const keys = await box.keys();
      t.diagnostic(`rows: ${letters.length}, objects that no row names: ${keys.length - named.length}`);
      assert.equal(new Set(named).size, named.length, "No file is in two rows.");
      assert.deepEqual(
        named.filter((key) => !keys.includes(key)),
        [],
        "Each row has its file.",
      );
      await box.files.sweep({ olderThan: 0, dryRun: false });
      assert.deepEqual(await box.keys(), named);
    });
  },
  [betterSqlite3, postgres, mariadb],
);
