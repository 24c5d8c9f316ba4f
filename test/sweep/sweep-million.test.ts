import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { betterSqlite3 } from "../support/databases.js";
import type { MillionSweep } from "../support/million-sweep.js";
import { run } from "../support/programs.js";

const program = fileURLToPath(new URL("../support/million-sweep.js", import.meta.url));

describe("a sweep of a million files", () => {
  it("takes less than 100 MiB and some hundred SELECTs", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "private-files-"));
    t.after(() => rm(folder, { recursive: true }));
    const type = betterSqlite3.missing ? "sqljs" : "better-sqlite3";
    const child = await run(
      ...[process.execPath, "--expose-gc", program],
      ...[type, join(folder, "million.sqlite"), "1000000"],
    );
    assert.equal(child.code, 0, child.stderr);
    const { orphans, missing, growth, selects } = JSON.parse(child.stdout) as MillionSweep;
    t.diagnostic(`${growth.toFixed(0)} MiB more, ${selects} SELECTs, on ${type}`);
    assert.deepEqual([orphans, missing], [10_000, 10]);
    assert.ok(growth < 100, `${growth} MiB`);
    assert.ok(selects < 2000, `${selects} SELECTs`);
  });
});
