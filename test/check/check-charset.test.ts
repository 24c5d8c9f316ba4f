import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { DataSource, Entity, Index, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, PrivateFiles } from "typeorm-private-files";
import { mariadb, postgres, reopen } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { describe, it, type TestContext } from "../support/suite.js";
import { brief, checked } from "./checked.js";

@Entity()
class Bill {
  @PrimaryGeneratedColumn() id!: number;
  @Index()
  @PrivateFileColumn({ uploadTo: "bills", length: 200 })
  scan!: PrivateFile;
}

describe("PrivateFiles.check of MariaDB's character sets", { skip: mariadb.skip }, () => {
  /** A table with the column in a character set, over one connection, which has a mode of its own. */
  async function open(t: TestContext, charset: string, mode?: string) {
    const { dataSource: first, close } = await mariadb.open({ entities: [Bill] });
    await first.query(`ALTER TABLE bill MODIFY scan varchar(200) CHARACTER SET ${charset} NOT NULL`);
    const dataSource = await reopen(first, { extra: { connectionLimit: 1 } });
    t.after(() => dataSource.destroy().then(close));
    if (mode !== undefined) await dataSource.query("SET SESSION sql_mode = ?", [mode]);
    return { dataSource, files: new PrivateFiles(dataSource, { storage: new MemoryStorage() }) };
  }

  for (const [charset, letters] of [
    ["latin1", "ł Ж Ω א ع अ ก 日 한 𠮷"],
    ["ascii", "é ł Ж Ω א ع अ ก 日 한 𠮷"],
    ["cp1251", "é ł Ω א ع अ ก 日 한 𠮷"],
    ["utf8mb3", "𠮷"],
    ["ucs2", "𠮷"],
  ] as const) {
    it(`names the letters that ${charset} lacks, as a warning where the database refuses them`, async (t) => {
      const bills = await open(t, charset);
      const problems = await checked(bills);
      assert.deepEqual(brief(problems), ["warning COLUMN_CHARSET Bill.scan"]);
      assert.equal(
        problems[0]!.message,
        `its character set "${charset}" lacks letters that names of files have, such as ${letters}: the database refuses rows with such names. Convert the column to utf8mb4.`,
      );
      await assert.rejects(saveBill(bills), { code: "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD" });
    });

    it(`names them as an error for ${charset} where the database puts "?" in their place`, async (t) => {
      const bills = await open(t, charset, "");
      const problems = await checked(bills);
      assert.deepEqual(brief(problems), ["error COLUMN_CHARSET Bill.scan"]);
      assert.match(problems[0]!.message, /the database stores "\?" in their place, and the row then names no file\./);
      const { attached, loaded } = await saveBill(bills);
      assert.notEqual(loaded, attached);
      assert.match(loaded, /\?/);
    });
  }

  for (const charset of ["utf8mb4", "utf16", "utf32"]) {
    it(`has nothing to say of ${charset}, in which every name can be saved`, async (t) => {
      const bills = await open(t, charset, "");
      assert.deepEqual(await checked(bills), []);
      const { attached, loaded } = await saveBill(bills);
      assert.equal(loaded, attached);
    });
  }
});

describe("PrivateFiles.check of PostgreSQL's encodings", { skip: postgres.skip }, () => {
  async function open(t: TestContext, encoding: string) {
    const url = new URL(process.env.TEST_POSTGRES_URL!);
    const server = await new DataSource({ type: "postgres", url: url.href }).initialize();
    const name = `private_files_${randomBytes(8).toString("hex")}`;
    await server.query(`CREATE DATABASE ${name} ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`);
    url.pathname = `/${name}`;
    const options = { url: url.href, entities: [Bill], synchronize: true };
    const dataSource = await new DataSource({ type: "postgres", ...options }).initialize();
    t.after(async () => {
      await dataSource.destroy();
      await server.query(`DROP DATABASE ${name}`);
      await server.destroy();
    });
    return { dataSource, files: new PrivateFiles(dataSource, { storage: new MemoryStorage() }) };
  }

  it("names the letters that LATIN1 lacks, as a warning: the database refuses them", async (t) => {
    const bills = await open(t, "LATIN1");
    const problems = await checked(bills);
    assert.deepEqual(brief(problems), ["warning COLUMN_CHARSET Bill.scan"]);
    assert.equal(
      problems[0]!.message,
      'its character set "LATIN1" lacks letters that names of files have, such as ł Ж Ω א ع अ ก 日 한 𠮷: the database refuses rows with such names. Move to a database with the encoding UTF8.',
    );
    await assert.rejects(saveBill(bills), { code: "22P05" });
  });

  for (const encoding of ["SQL_ASCII", "UTF8"]) {
    it(`has nothing to say of ${encoding}, in which every name can be saved`, async (t) => {
      const bills = await open(t, encoding);
      assert.deepEqual(await checked(bills), []);
      const { attached, loaded } = await saveBill(bills);
      assert.equal(loaded, attached);
    });
  }
});

/** Saves a file whose name has letters that a character set may lack. */
async function saveBill({ dataSource, files }: { dataSource: DataSource; files: PrivateFiles }) {
  const bill = new Bill();
  const { key: attached } = await files.attach(bill, "scan", Buffer.from("x"), { filename: "счёт-é-日本-𠮷.pdf" });
  await dataSource.manager.save(bill);
  const { scan } = await dataSource.manager.findOneByOrFail(Bill, { id: bill.id });
  return { attached, loaded: scan.key };
}
