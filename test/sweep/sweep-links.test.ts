import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EntitySchema } from "typeorm";
import { type PrivateFile, PrivateFiles, privateFileColumn } from "typeorm-private-files";
import { BackdatedStorage } from "../support/backdated-storage.js";
import { sqljs } from "../support/databases.js";
import { describe, it } from "../support/suite.js";
import { keyIn, keysOf, putOld } from "../support/sweep-fixture.js";

describe("A sweep of two storages", () => {
  it("keeps an object of one that a row of the other names through a symbolic link", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "private-files-"));
    t.after(() => rm(folder, { recursive: true }));
    const [one, two] = [new BackdatedStorage(join(folder, "one")), new BackdatedStorage(join(folder, "two"))];
    const columns = { id: { type: Number, primary: true, generated: "increment" } } as const;
    const schema = (name: string, storage: BackdatedStorage) =>
      new EntitySchema<{ id: number; scan: PrivateFile }>({
        name,
        columns: { ...columns, scan: privateFileColumn({ uploadTo: "scans", storage }) },
      });
    const { dataSource, close } = await sqljs.open({ entities: [schema("first", one), schema("second", two)] });
    t.after(close);
    const files = new PrivateFiles(dataSource);
    const named = await putOld(two, keyIn("scans"));
    const old = await putOld(two, "archive/2019.pdf");
    await mkdir(join(one.root, "scans"), { recursive: true });
    await symlink(join(two.root, "archive"), join(one.root, "shared"));
    await dataSource.query(`INSERT INTO second (scan) VALUES ('${named}')`);
    await dataSource.query(`INSERT INTO first (scan) VALUES ('shared/2019.pdf')`);
    await files.sweep({ dryRun: false, prefixes: ["archive/"] }).catch(() => {});
    assert.deepEqual(await keysOf(two), [old, named].sort());
  });
});

describe("check", () => {
  it("encodes what a storage's error says, which could break a line of a log", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "private-files-"));
    t.after(() => rm(folder, { recursive: true }));
    const storage = new BackdatedStorage(folder);
    storage.put = () => Promise.reject(new Error("first\nsecond\u202e\u001b[31m"));
    const scan = privateFileColumn({ storage, nullable: true });
    const Doc = new EntitySchema({ name: "doc", columns: { id: { type: Number, primary: true }, scan } });
    const { dataSource, close } = await sqljs.open({ entities: [Doc] });
    t.after(close);
    const problems = await new PrivateFiles(dataSource).check();
    const message = problems.find(({ code }) => code === "STORAGE_FAILS")?.message;
    assert.doesNotMatch(message ?? "\n", /[\p{Cc}\p{Cf}]/u);
  });
});
