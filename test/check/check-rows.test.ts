import assert from "node:assert/strict";
import { ChildEntity, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn, TableInheritance } from "typeorm";
import { PrivateFile, PrivateFileColumn, type Problem } from "typeorm-private-files";
import { describeOnEachDatabase } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { afterEach, it } from "../support/suite.js";
import { keyIn, openSweepFixture, type SweepFixture } from "../support/sweep-fixture.js";
import { brief, checked } from "./checked.js";

@Entity()
class Bill {
  @PrimaryColumn({ type: "varchar", length: 20 }) house!: string;
  @PrimaryColumn() number!: number;
  @PrivateFileColumn({ uploadTo: "bills", type: "text", nullable: true }) scan!: PrivateFile | null;
}

@Entity()
@TableInheritance({ column: { type: "varchar", name: "kind", length: 20 } })
class Medium {
  @PrimaryGeneratedColumn() id!: number;
  @Index()
  @PrivateFileColumn({ uploadTo: "media", nullable: true, length: 200 })
  file!: PrivateFile | null;
}

@ChildEntity()
class Film extends Medium {
  @Index()
  @PrivateFileColumn({ uploadTo: "stills", nullable: true, length: 200 })
  still!: PrivateFile | null;
}

@ChildEntity()
class Song extends Medium {
  @PrivateFileColumn({ uploadTo: "songs", nullable: true, length: 200, storage: new MemoryStorage() })
  declare file: PrivateFile | null;
}

/** Texts that hands and other programs have put there, none of which a disk takes for a key. */
const NO_KEYS = [
  "C:\\scans\\a.pdf",
  "c:a.pdf",
  "line\nbreak.pdf",
  "right\u202eto\u2028left\u0007.pdf",
  "../a.pdf",
  "uploads/../../a.pdf",
  "/etc/passwd",
  "..",
  ".incomplete/a.pdf",
  `${"deep/".repeat(300)}a.pdf`,
  "n".repeat(256),
];

describeOnEachDatabase("PrivateFiles.check of the rows", (database) => {
  let fixture: SweepFixture;
  afterEach(() => fixture.close());

  /** Writes rows as another program does. */
  async function write(table: string, rows: object[]): Promise<void> {
    const { dataSource } = fixture;
    for (let start = 0; start < rows.length; start += 100) {
      const some = rows.slice(start, start + 100).map((row) => Object.values(row));
      const parameter = (index: number) => dataSource.driver.createParameter("value", index);
      const values = some.map((row, line) => `(${row.map((_, index) => parameter(line * row.length + index))})`);
      await dataSource.query(`INSERT INTO ${table} (${Object.keys(rows[0]!)}) VALUES ${values}`, some.flat());
    }
  }

  const rowsProblems = async (): Promise<Problem[]> => (await checked(fixture)).filter(({ rows }) => rows);

  it("lists those whose value is not a key, with their primary keys, and says nothing of keys of its own", async () => {
    fixture = await openSweepFixture({ entities: [Bill] }, database);
    const scans = [...NO_KEYS, keyIn("bills"), keyIn(""), "", null];
    await write(
      "bill",
      scans.map((scan, number) => ({ house: "a", number, scan })),
    );
    const [problem, ...others] = await rowsProblems();
    assert.deepEqual(brief([problem!]), ["warning INVALID_KEYS Bill.scan"]);
    assert.deepEqual(others, []);
    assert.equal(problem!.count, NO_KEYS.length);
    assert.deepEqual(
      problem!.rows,
      NO_KEYS.map((key, number) => ({ id: { house: "a", number }, key })),
    );
    assert.equal(
      problem!.message,
      String.raw`11 rows with a value that is not a key, such as "C:\\scans\\a.pdf", "c:a.pdf", "line\nbreak.pdf". The files can't be served. Give the files names that are keys, and change the rows.`,
    );
  });

  it("shows no character in its message that breaks or turns a line", async () => {
    fixture = await openSweepFixture({ entities: [Bill] }, database);
    await write("bill", [{ house: "a", number: 1, scan: NO_KEYS[3] }]);
    const [{ message }] = (await rowsProblems()) as [Problem];
    assert.ok(
      message.startsWith(
        String.raw`1 row with a value that is not a key, such as "right\u{202e}to\u{2028}left\u0007.pdf".`,
      ),
    );
  });

  it("tells of foreign objects in each of the spellings that Django reads, and of uploads in another than their own", async () => {
    fixture = await openSweepFixture({ entities: [Bill] }, database);
    const { storage } = fixture;
    const scans = [
      ...["uploads/a.pdf", "uploads//a.pdf", "./uploads/a.pdf", "uploads/./a.pdf", "old/../uploads/a.pdf"],
      ...[storage.path("uploads/a.pdf"), "défaults/avatar 100%.png"],
    ];
    const own = keyIn("bills");
    await write(
      "bill",
      [...scans, own, `./${own}`, storage.path(own)].map((scan, number) => ({ house: "a", number, scan })),
    );
    const [invalid, foreign, ...rest] = await rowsProblems();
    assert.deepEqual(brief([invalid!, foreign!]), ["warning INVALID_KEYS Bill.scan", "info FOREIGN_OBJECTS Bill.scan"]);
    assert.deepEqual([invalid!.rows!.map(({ key }) => key), rest], [[`./${own}`, storage.path(own)], []]);
    assert.deepEqual(
      foreign!.rows,
      scans.map((key, number) => ({ id: { house: "a", number }, key })),
    );
    assert.match(foreign!.message, /^7 rows with a key that this package did not make, such as "uploads\/a\.pdf", /);
  });

  it("counts all of many rows and shows the first hundred of each kind", async () => {
    fixture = await openSweepFixture({ entities: [Bill] }, database);
    const rows = Array.from({ length: 4500 }, (_, number) => ({
      house: "a",
      number,
      scan: number % 3 === 0 ? `\\\\server\\${number}` : `uploads/${number}.pdf`,
    }));
    await write("bill", rows);
    const [invalid, foreign] = (await rowsProblems()) as [Problem, Problem];
    assert.deepEqual([invalid.count, foreign.count], [1500, 3000]);
    assert.deepEqual([invalid.rows!.length, foreign.rows!.length], [100, 100]);
    assert.deepEqual(invalid.rows![99], { id: { house: "a", number: 297 }, key: "\\\\server\\297" });
  });

  it("counts a row once though its table has several classes, and counts those of a class that it does not know", async () => {
    fixture = await openSweepFixture({ entities: [Medium, Film, Song] }, database);
    const kinds = ["Medium", "Film", "Song", "Unknown"];
    await write(
      "medium",
      kinds.map((kind) => ({ kind, file: `uploads/${kind}`, still: kind === "Film" ? "../still" : null })),
    );
    const problems = await rowsProblems();
    assert.deepEqual(brief(problems).toSorted(), [
      "info FOREIGN_OBJECTS Medium.file",
      "warning INVALID_KEYS Film.still",
    ]);
    assert.deepEqual(problems.map(({ count }) => count).toSorted(), [1, 4]);
  });

  it("asks the storage of a row's own class whether it takes the value for a key", async () => {
    fixture = await openSweepFixture({ entities: [Medium, Film, Song] }, database);
    const file = ".incomplete/a.pdf";
    await write("medium", [
      { kind: "Film", file },
      { kind: "Song", file },
    ]);
    const problems = await rowsProblems();
    assert.deepEqual(
      problems.map(({ code, rows }) => [code, rows]),
      [
        ["INVALID_KEYS", [{ id: { id: 1 }, key: file }]],
        ["FOREIGN_OBJECTS", [{ id: { id: 2 }, key: file }]],
      ],
    );
  });
});
