import assert from "node:assert/strict";
import { Member, Picture, QUOTA, Quota } from "../../docs/examples/quota/quota.js";
import { type Archive, openArchive } from "../support/archive.js";
import { betterSqlite3, describeOnEachDatabase, sqljs } from "../support/databases.js";
import { after, before, it } from "../support/suite.js";

const oneConnection = [sqljs, betterSqlite3];

describeOnEachDatabase("The example of a quota", (database) => {
  let archive: Archive;
  before(async () => {
    archive = await openArchive(database, { entities: [Member, Picture], subscribers: [Quota] });
  });
  after(() => archive.close());

  const content = Buffer.alloc(1000);
  const memberWith = (usedBytes: number) =>
    archive.dataSource.manager.save(archive.dataSource.manager.create(Member, { usedBytes }));
  const attach = async (owner: Member) => {
    const picture = archive.dataSource.manager.create(Picture, { owner });
    await archive.files.attach(picture, "file", content);
    return picture;
  };
  const usedBy = async ({ id }: Member) => (await archive.dataSource.manager.findOneByOrFail(Member, { id })).usedBytes;

  it("refuses an upload that is too much, before it is kept", async () => {
    const owner = await memberWith(QUOTA - 999);
    const before = await archive.keys();
    await assert.rejects(attach(owner), { reason: "too-large", status: 413 });
    assert.deepEqual(await archive.keys(), before);
  });

  it("lets one of several uploads through that come at once where there is room for one", async () => {
    const { manager } = archive.dataSource;
    const owner = await memberWith(QUOTA - 1500);
    const pictures = await Promise.all([attach(owner), attach(owner), attach(owner)]);
    const saved: Picture[] = [];
    const refused: unknown[] = [];
    const save = (picture: Picture) =>
      manager.save(picture).then(
        (one) => saved.push(one),
        (error) => refused.push(error),
      );
    // All saves share the only connection of SQLite, and a transaction with it.
    if (oneConnection.includes(database)) for (const picture of pictures) await save(picture);
    else await Promise.all(pictures.map(save));
    assert.deepEqual([saved.length, refused.length], [1, 2]);
    assert.equal(await usedBy(owner), QUOTA - 500);
    const kept = await manager.findOneOrFail(Picture, { where: { id: saved[0]!.id }, relations: { owner: true } });
    await manager.remove(kept);
    assert.equal(await usedBy(owner), QUOTA - 1500);
  });

  it("counts the bytes of a file that replaces another, and refuses it where they are too many", async () => {
    const { manager } = archive.dataSource;
    const owner = await memberWith(QUOTA - 5000);
    const picture = await manager.save(await attach(owner));
    await archive.files.attach(picture, "file", Buffer.alloc(1500));
    await manager.save(picture);
    assert.equal(await usedBy(owner), QUOTA - 3500);

    await archive.files.attach(picture, "file", Buffer.alloc(3000));
    await manager.update(Member, owner.id, { usedBytes: QUOTA - 1000 });
    await assert.rejects(manager.save(picture), { reason: "too-large", status: 413 });

    const kept = await manager.findOneByOrFail(Picture, { id: picture.id });
    assert.equal(kept.bytes, 1500);
    await manager.remove(kept);
    assert.equal(await usedBy(owner), QUOTA - 2500);
  });
});
