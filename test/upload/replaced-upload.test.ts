import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, UploadError } from "typeorm-private-files";
import { archiveOfSuite } from "../support/archive.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { eventually } from "../support/eventually.js";
import { it } from "../support/suite.js";

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "letters", nullable: true }) scan!: PrivateFile | null;
}

describeOnEachDatabase("an upload that was not saved", (database) => {
  const archive = archiveOfSuite(database, { entities: [Letter] }, [Letter]);
  const attach = (letter: Letter) => archive.files.attach(letter, "scan", Buffer.from("x"), { filename: "a.pdf" });
  const save = (letter: Letter) => archive.dataSource.manager.save(letter);

  it("is deleted when another is attached in its place, and can't be saved after that", async () => {
    const letter = new Letter();
    const first = await attach(letter);
    const second = await attach(letter);
    assert.deepEqual(await archive.keys(), [second.key]);
    await assert.rejects(save(Object.assign(new Letter(), { scan: first })), {
      code: "ERR_PRIVATE_FILE_DISCARDED",
      message: /^Letter\.scan: the upload was deleted .* Attach it again before you save\.$/,
    });
    await save(letter);
    assert.deepEqual(await archive.keys(), [second.key]);
  });

  it("is deleted when it is detached", async () => {
    const letter = new Letter();
    await attach(letter);
    archive.files.detach(letter, "scan");
    await eventually(async () => assert.deepEqual(await archive.keys(), []));
  });

  it("stays where the upload that was to replace it fails", async () => {
    const letter = new Letter();
    const { key } = await attach(letter);
    const failing = new Readable({ read: () => failing.destroy(new Error("the line is dead")) });
    await assert.rejects(archive.files.attach(letter, "scan", failing), UploadError);
    assert.deepEqual([letter.scan!.key, await archive.keys()], [key, [key]]);
  });

  it("is deleted where several are attached at once, all but the last", async () => {
    const letter = new Letter();
    await Promise.all(Array.from({ length: 5 }, () => attach(letter)));
    assert.deepEqual(await archive.keys(), [letter.scan!.key]);
  });

  it("stays where raw SQL made a row name it", async () => {
    const letter = await save(new Letter());
    const { key } = await attach(letter);
    const query = archive.dataSource.createQueryBuilder().update(Letter);
    await query.set({ scan: () => `'${key}'` }).execute();
    await attach(letter);
    assert.ok((await archive.keys()).includes(key));
    archive.files.detach(letter, "scan");
    await eventually(async () => assert.deepEqual(await archive.keys(), [key]));
  });

  it("is one that no open transaction has written", async () => {
    const letter = new Letter();
    const { key } = await attach(letter);
    await archive.dataSource.transaction(async (manager) => {
      await manager.save(letter);
      await attach(letter);
    });
    assert.ok((await archive.keys()).includes(key));
    assert.equal((await archive.dataSource.manager.findOneByOrFail(Letter, { id: letter.id })).scan!.key, key);
  });

  for (const replace of ["attach", "detach"] as const) {
    it(`is not the file of a row, which stays until a save commits what ${replace} did`, async () => {
      const letter = new Letter();
      const { key } = await attach(letter);
      await save(letter);
      const loaded = await archive.dataSource.manager.findOneByOrFail(Letter, { id: letter.id });
      for (const one of [loaded, letter]) {
        if (replace === "attach") await attach(one);
        else archive.files.detach(one, "scan");
        await setTimeout(50);
        assert.ok((await archive.keys()).includes(key));
      }
      await save(letter);
      assert.equal((await archive.keys()).includes(key), false);
    });
  }
});
