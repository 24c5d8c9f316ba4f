import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { betterSqlite3 } from "../support/databases.js";
import type { MillionSweep } from "../support/million-sweep.js";
import { run } from "../support/programs.js";
import { describe, it } from "../support/suite.js";

const program = fileURLToPath(new URL("../support/million-sweep.js", import.meta.url));

describe("a sweep of a million files", { skip: betterSqlite3.skip }, () => {
  it("takes less than 100 MiB and some hundred SELECTs", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "private-files-"));
    t.after(() => rm(folder, { recursive: true }));
    const child = await run(
      ...[process.execPath, "--expose-gc", program],
      ...["better-sqlite3", join(folder, "million.sqlite"), "1000000"],
    );
    assert.equal(child.code, 0, child.stderr);
    const { orphans, missing, growth, selects } = JSON.parse(child.stdout) as MillionSweep;
    t.diagnostic(`${growth.toFixed(0)} MiB more, ${selects} SELECTs`);
    assert.deepEqual([orphans, missing], [10_000, 10]);
    assert.ok(growth < 100, `${growth} MiB`);
    assert.ok(selects < 2000, `${selects} SELECTs`);
  });
});
