import assert from "node:assert/strict";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { ColumnSet } from "../../src/column/column-metadata.js";
import { onPrimary } from "../../src/database/committed-reads.js";
import { keyColumns, namedKeys } from "../../src/database/named-keys.js";
import { adoptedFile } from "../support/adopted-file.js";
import { openArchive } from "../support/archive.js";
import { mariadb } from "../support/databases.js";
import { describe, it } from "../support/suite.js";

@Entity()
class Latin {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ columnCharset: "latin1" }) file!: PrivateFile;
}

@Entity()
class Universal {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ columnCharset: "utf8mb4" }) file!: PrivateFile;
}

// Of the databases here only MariaDB has a character set for each column.
describe("a column's character set", { skip: mariadb.skip }, () => {
  it("finds the named ones among keys that the column's character set can't express", async (t) => {
    const { dataSource, close } = await mariadb.open({ entities: [Latin] });
    t.after(close);
    const named = ["1/a.txt", "2/ä.txt", "3/c.txt"];
    await dataSource.manager.save(
      named.map((key) => Object.assign(new Latin(), { file: adoptedFile(dataSource, Latin, "file", key) })),
    );
    const columns = keyColumns(ColumnSet.of(dataSource));
    const keys = ["1/a.txt", "0/日本.txt", "2/ä.txt", "4/none.txt", "3/c.txt", "5/🎉.txt", "6/😀"];
    assert.deepEqual(await onPrimary(dataSource, (runner) => namedKeys(runner, columns, keys)), new Set(named));
  });

  it("keeps a file with such a key that raw SQL named again, though another column can't name it", async (t) => {
    const { dataSource, files, keys, close } = await openArchive(mariadb, { entities: [Latin, Universal] });
    t.after(close);
    const first = new Universal();
    await files.attach(first, "file", Buffer.from("x"), { filename: "日本.txt" });
    await dataSource.manager.save(first);
    await dataSource.query("INSERT INTO universal (file) SELECT file FROM universal");
    await dataSource.manager.remove(first);
    const [second] = await dataSource.manager.find(Universal);
    assert.ok(await files.stat(second!, "file"));
    await dataSource.manager.remove(second!);
    assert.deepEqual(await keys(), []);
  });
});
