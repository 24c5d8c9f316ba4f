import assert from "node:assert/strict";
import { Readable } from "node:stream";
import type { EntityManager } from "typeorm";
import { describeOnEachDatabase } from "../support/databases.js";
import { before, beforeEach, it } from "../support/suite.js";
import { LetterBox, otherRow } from "./letter-box.js";
import { Letter } from "./letters.js";

const AVATAR = "defaults/avatar.png";
const inARow = { code: "ERR_PRIVATE_FILE_OTHER_ROW", message: /a row has this file already/ };

describeOnEachDatabase("An object that another program wrote", (database) => {
  const box = LetterBox.ofSuite(database);
  let manager: EntityManager;
  before(() => {
    manager = box.manager;
  });
  beforeEach(async () => {
    await box.storage.put(AVATAR, Readable.from([Buffer.from("avatar")]));
    for (const title of ["a", "b"]) {
      await manager.query(`INSERT INTO letter (title, scan) VALUES ('${title}', '${AVATAR}')`);
    }
  });

  it("stays when save replaces it, removes it from a row, or removes the last row", async () => {
    const [first, second] = await manager.find(Letter, { order: { id: "ASC" } });
    await manager.save(await box.attached("own", first));
    await manager.save(Object.assign(second!, { scan: null }));
    assert.ok(await box.has(AVATAR));
    await manager.query(`UPDATE letter SET scan = '${AVATAR}'`);
    await manager.remove(await manager.find(Letter));
    assert.ok(await box.has(AVATAR));
  });

  it("stays in its row through save and update of a spread copy", async () => {
    const loaded = await manager.findOneByOrFail(Letter, { title: "a" });
    await manager.save(Letter, { ...loaded, title: "c" });
    await manager.update(Letter, loaded.id, { ...loaded, title: "d" });
    assert.equal((await box.load(loaded)).scan!.key, AVATAR);
  });

  it("is refused in another row without adopt, which the row gets with it", async () => {
    const { scan } = await manager.findOneByOrFail(Letter, { title: "a" });
    const letter = manager.create(Letter, { title: "c", scan });
    await assert.rejects(manager.save(letter), otherRow);
    await assert.rejects(async () => manager.insert(Letter, { title: "c", scan }), otherRow);
    await box.files.adopt(letter, "scan", AVATAR);
    await manager.save(letter);
    assert.equal((await box.load(letter)).scan!.key, AVATAR);
  });

  it("is adopted by many rows", async () => {
    const letters = ["c", "d"].map((title) => manager.create(Letter, { title }));
    for (const letter of letters) await box.files.adopt(letter, "scan", AVATAR);
    await manager.save(letters);
    await manager.remove(letters);
    assert.ok(await box.has(AVATAR));
  });

  it("can't be adopted when this package wrote it and a row has it", async () => {
    const { scan } = await box.saved("own");
    await assert.rejects(box.files.adopt(new Letter(), "scan", scan!.key), inARow);
  });

  it("is adopted once when this package wrote it and no row has it", async () => {
    const { scan } = await box.saved("own");
    await manager.delete(Letter, { title: "own" });
    const letter = manager.create(Letter, { title: "found" });
    await box.files.adopt(letter, "scan", scan!.key);
    await manager.save(letter);
    await assert.rejects(box.files.adopt(new Letter(), "scan", scan!.key), inARow);
    await manager.remove(letter);
    assert.equal(await box.has(scan!), false);
  });
});
