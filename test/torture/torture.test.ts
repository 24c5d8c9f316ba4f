import assert from "node:assert/strict";
import { describeOnEachDatabase, sharedDatabases } from "../support/databases.js";
import { it } from "../support/suite.js";
import { torture } from "./run.js";

describeOnEachDatabase(
  "Processes that write and are killed at random",
  (database) => {
    it("leave each row with its file, each file whole, and nothing that a sweep does not remove", async (t) => {
      const seed = Date.now() % 2 ** 32;
      t.diagnostic(`seed ${seed}; "npm run torture" does the same for longer`);
      const { kills, work, findings, violations } = await torture(database, { kills: 20, round: 10, seed });
      assert.deepEqual(violations, []);
      assert.equal(kills, 20);
      assert.equal(findings.inspections, 2);
      for (const outcome of ["committed", "rolled back", "ERR_PRIVATE_FILE_OTHER_ROW"]) {
        assert.ok(work.deeds.count(outcome) > 0, outcome);
      }
    });
  },
  sharedDatabases,
);
