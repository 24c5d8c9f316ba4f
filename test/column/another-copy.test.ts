import assert from "node:assert/strict";
import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { DataSource, Entity, EntitySchema, PrimaryGeneratedColumn } from "typeorm";
import { type PrivateFile, PrivateFiles } from "typeorm-private-files";
import { MemoryStorage } from "../support/memory-storage.js";

const checkout = resolve(import.meta.dirname, "../../..");

describe("a column that another copy of the package declared", () => {
  let folder: string;
  let copy: typeof import("typeorm-private-files");

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "private-files-"));
    for (const part of ["package.json", "dist/src"])
      await cp(join(checkout, part), join(folder, part), { recursive: true });
    await symlink(join(checkout, "node_modules"), join(folder, "node_modules"));
    copy = await import(pathToFileURL(join(folder, "dist/src/index.js")).href);
    assert.notEqual(copy.PrivateFiles, PrivateFiles);
  });
  after(() => rm(folder, { recursive: true }));

  it("is refused with its name, when the data source is initialized or PrivateFiles is made", async (t) => {
    for (const entity of [classOf(copy), schemaOf(copy)]) {
      const dataSource = new DataSource({ type: "sqljs", entities: [entity] });
      const early = new DataSource({ type: "sqljs", entities: [entity] });
      new PrivateFiles(early, { storage: new MemoryStorage() });
      await dataSource.initialize();
      t.after(() => dataSource.destroy());
      const refused = {
        name: "ConfigurationError",
        message:
          /^Foreign\.scan: another copy of typeorm-private-files declared it\. Install the package once: "npm ls /,
      };
      await assert.rejects(early.initialize(), refused);
      assert.equal(early.isInitialized, false);
      assert.throws(() => new PrivateFiles(dataSource, { storage: new MemoryStorage() }), refused);
      assert.doesNotThrow(() => new copy.PrivateFiles(dataSource, { storage: new MemoryStorage() }).routes());
    }
  });
});

function classOf({ PrivateFileColumn }: typeof import("typeorm-private-files")) {
  @Entity()
  class Foreign {
    @PrimaryGeneratedColumn() id!: number;
    @PrivateFileColumn() scan!: PrivateFile;
  }
  return Foreign;
}

function schemaOf({ privateFileColumn }: typeof import("typeorm-private-files")) {
  const id = { type: Number, primary: true, generated: true } as const;
  return new EntitySchema({ name: "Foreign", columns: { id, scan: privateFileColumn() } });
}
