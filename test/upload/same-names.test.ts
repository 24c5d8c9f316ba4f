import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { DiskStorage } from "typeorm-private-files";
import { run } from "../support/programs.js";
import { all } from "../support/requirements.js";

const EACH = all ? 250 : 25;

it(`keeps ${4 * EACH} uploads of one name apart that four processes send at once`, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "private-files-"));
  t.after(() => rm(folder, { recursive: true }));
  const child = fileURLToPath(new URL("./same-names-child.js", import.meta.url));
  const children = await Promise.all(
    ["a", "b", "c", "d"].map((name) => run(process.execPath, child, folder, name, String(EACH))),
  );
  const uploads = new Map<string, string>();
  for (const { code, stdout, stderr } of children) {
    assert.equal(code, 0, stderr);
    for (const [key, content] of JSON.parse(stdout) as [string, string][]) uploads.set(key, content);
  }
  assert.equal(uploads.size, 4 * EACH);
  for (const [key, content] of uploads) {
    assert.match(key, /^reports\/[0-9a-z]{30}\/report\.pdf$/);
    assert.equal(await readFile(join(folder, key), "utf8"), content);
  }
  let listed = 0;
  for await (const { key } of new DiskStorage(folder).list("")) listed += uploads.has(key) ? 1 : Number.NaN;
  assert.equal(listed, 4 * EACH);
});
