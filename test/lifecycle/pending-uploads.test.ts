import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { it } from "../support/suite.js";

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: "" }) title!: string;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
  @PrivateFileColumn({ nullable: true }) envelope!: PrivateFile | null;
}

const PENDING = { code: "ERR_PRIVATE_FILE_PENDING", message: /^Letter\.scan: .* Write "await" before attach/ };

describeOnEachDatabase("An entity whose attach is not awaited", (database) => {
  const archive = archiveOfSuite(database, { entities: [Letter] }, [Letter]);
  const save = (letter: Letter) => archive.dataSource.manager.save(letter);

  it("is not saved without its file, as a new row or as one that changes", async () => {
    for (const saved of [false, true]) {
      const letter = new Letter();
      if (saved) await save(letter);
      letter.title = "new";
      const body = new PassThrough();
      const attaching = archive.files.attach(letter, "scan", body);
      await assert.rejects(save(letter), PENDING);
      body.end("x");
      await attaching;
      await save(letter);
      const { scan } = await archive.dataSource.manager.findOneByOrFail(Letter, { id: letter.id });
      assert.equal(scan?.key, letter.scan?.key);
    }
  });

  it("can be saved once the upload has failed, and other entities can all the time", async () => {
    const letter = new Letter();
    const body = new PassThrough();
    const attaching = archive.files.attach(letter, "scan", body);
    await save(new Letter());
    body.destroy(new Error("the client left"));
    await assert.rejects(attaching, { reason: "failed" });
    await save(letter);
  });

  it("waits for all of its files", async () => {
    const letter = new Letter();
    const [scan, envelope] = [new PassThrough(), new PassThrough()];
    const attaching = [archive.files.attach(letter, "scan", scan), archive.files.attach(letter, "envelope", envelope)];
    envelope.end("x");
    await attaching[1];
    await assert.rejects(save(letter), PENDING);
    scan.end("x");
    await attaching[0];
    await save(letter);
  });
});
