import assert from "node:assert/strict";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { ColumnSet } from "../../src/column/column-metadata.js";
import { keyColumns, namedKeys } from "../../src/database/named-keys.js";
import { openArchive } from "../support/archive.js";
import { mariadb } from "../support/databases.js";
import { describe, it } from "../support/suite.js";

@Entity()
class Latin {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ charset: "latin1" }) file!: PrivateFile;
}

@Entity()
class Universal {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ charset: "utf8mb4" }) file!: PrivateFile;
}

// Of the databases here only MariaDB has a character set for each column.
describe("a column's character set", { skip: mariadb.skip }, () => {
  it("finds the named ones among keys that the column's character set can't express", async (t) => {
    const { dataSource, close } = await mariadb.open({ entities: [Latin] });
    t.after(close);
    const named = ["1/a.txt", "2/ä.txt", "3/c.txt"];
    await dataSource.manager.save(named.map((key) => Object.assign(new Latin(), { file: new PrivateFile(key) })));
    const columns = keyColumns(ColumnSet.of(dataSource));
    const keys = ["1/a.txt", "0/日本.txt", "2/ä.txt", "4/none.txt", "3/c.txt", "5/🎉.txt", "6/😀"];
    assert.deepEqual(await namedKeys(dataSource.manager, columns, keys), new Set(named));
  });

  it("lets a file with such a key be handed on, though another column can't name it", async (t) => {
    const { dataSource, files, close } = await openArchive(mariadb, { entities: [Latin, Universal] });
    t.after(close);
    const first = new Universal();
    await files.attach(first, "file", Buffer.from("x"), { filename: "日本.txt" });
    await dataSource.manager.save(first);
    const second = await dataSource.manager.save(Object.assign(new Universal(), { file: first.file }));
    await dataSource.manager.remove(first);
    assert.ok(await files.stat(second, "file"));
  });
});
