import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { ColumnSet } from "../../src/column/column-metadata.js";
import { keyColumns, namedKeys } from "../../src/lifecycle/named-keys.js";
import { mariadb, skipOf } from "../support/databases.js";

@Entity()
class Latin {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ charset: "latin1" }) file!: PrivateFile;
}

// Of the databases here only MariaDB has a character set for each column.
describe("namedKeys", { skip: skipOf(mariadb) }, () => {
  it("finds the named ones among keys that the column's character set can't express", async (t) => {
    const { dataSource, close } = await mariadb.open({ entities: [Latin] });
    t.after(close);
    const named = ["1/a.txt", "2/ä.txt", "3/c.txt"];
    await dataSource.manager.save(named.map((key) => Object.assign(new Latin(), { file: new PrivateFile(key) })));
    const columns = keyColumns(ColumnSet.of(dataSource));
    const keys = ["1/a.txt", "0/日本.txt", "2/ä.txt", "4/none.txt", "3/c.txt", "5/🎉.txt", "6/😀"];
    assert.deepEqual(await namedKeys(dataSource.manager, columns, keys), new Set(named));
  });
});
