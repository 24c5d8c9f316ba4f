import assert from "node:assert/strict";
import { Column, Entity, LessThanOrEqual, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { startApplication } from "../support/application.js";
import { describeOnEachDatabase, postgres, sqljs } from "../support/databases.js";
import { it } from "../support/suite.js";

let where: () => unknown;

@Entity()
class Dossier {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: "float" }) level!: number;
  @PrivateFileColumn<Dossier>({ condition: () => true, where: () => where() as never }) scan!: PrivateFile;
}

describeOnEachDatabase(
  "The where of a column",
  (database) => {
    for (const [title, make] of [
      ["holes in place of conditions", () => new Array(2).map(() => ({ level: -1 }))],
      ["an empty condition", () => ({})],
      ["a promise of a condition", () => Promise.resolve({ level: -1 })],
      ["an empty relation or column", () => ({ level: {} })],
      ["a property that is not a column", () => ({ levle: 3 })],
      ["NaN in an operator", () => ({ level: LessThanOrEqual(Number(undefined)) })],
    ] as [string, () => unknown][]) {
      it(`lets no row through when it has ${title}`, async (t) => {
        const application = await startApplication({ entities: [Dossier], database });
        t.after(() => application.close());
        const dossier = application.dataSource.manager.create(Dossier, { level: 9 });
        await application.files.attach(dossier, "scan", Buffer.from("secret"));
        await application.dataSource.manager.save(dossier);
        where = make;
        const { status, body } = await application.get(application.files.url(dossier, "scan"));
        assert.notEqual(`${status} ${body}`, "200 secret");
      });
    }
  },
  [sqljs, postgres],
);
