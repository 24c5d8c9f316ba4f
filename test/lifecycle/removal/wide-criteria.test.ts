import assert from "node:assert/strict";
import { Any, Column, Entity, In, LessThan, Not, PrimaryColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { archiveInMemoryOfSuite } from "../../support/archive.js";
import { describeOnEachDatabase, mariadb, postgres, type TestDatabase } from "../../support/databases.js";
import { beforeEach, it } from "../../support/suite.js";

@Entity()
class Photo {
  @PrimaryColumn({ type: "varchar", length: 36 }) id!: string;
  @Column({ type: "varchar", length: 20 }) code!: string;
  @Column({ type: "decimal", precision: 10, scale: 2 }) price!: number;
  @Column() takenAt!: Date;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

const holes = (): unknown[] => new Array(3).map(() => ({ id: "nobody" }));

const cases: [title: string, criteria: () => unknown, on?: TestDatabase[]][] = [
  ["an array of holes, as new Array(3).map() makes it", holes],
  ["a condition beside a hole", () => Object.assign(new Array(2), { 1: { id: "nobody" } })],
  ["a relation's or property's empty list behind Not: Not(In([]))", () => ({ id: Not(In([])) })],
  ["Not(Any([]))", () => ({ id: Not(Any([])) }), [postgres]],
  ["an object in an operator, though it is refused outside of one", () => ({ code: Not({} as never) })],
  ["an array in an operator, though it is refused outside of one", () => ({ code: Not([] as never) })],
  ["NaN in an operator", () => ({ price: LessThan(Number.NaN) })],
  ["an invalid date in an operator", () => ({ takenAt: Not(new Date("never")) })],
  ["0 for a text, which MariaDB takes for every text that is not a number", () => ({ code: 0 }), [mariadb]],
  ["0 for a primary key that is a text", () => 0, [mariadb]],
];

describeOnEachDatabase("files.remove, given criteria that match more than they say,", (database) => {
  const archive = archiveInMemoryOfSuite(database, { entities: [Photo] }, [Photo]);
  beforeEach(async () => {
    const { manager } = archive.dataSource;
    for (const id of ["a1", "b", "c"]) {
      const photo = manager.create(Photo, { id, code: `x${id}`, price: 3, takenAt: new Date("2020-01-01") });
      await archive.files.attach(photo, "scan", Buffer.from("bytes"));
      await manager.save(photo);
    }
  });

  for (const [title, criteria, on] of cases) {
    if (on && !on.includes(database)) continue;
    it(`refuses ${title}, and keeps all rows and files`, async () => {
      const said = await archive.files.remove(Photo, criteria() as never).then(
        (count) => `removed ${count}`,
        (error) => error.code,
      );
      const left = [await archive.dataSource.manager.count(Photo), (await archive.keys()).length];
      assert.deepEqual([said, ...left], ["ERR_PRIVATE_FILE_CRITERIA", 3, 3]);
    });
  }
});
