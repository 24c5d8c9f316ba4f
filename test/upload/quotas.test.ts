import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { Column, Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type BeforeAttachEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  UploadError,
} from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { after, before, beforeEach, describe, it } from "../support/suite.js";

@Entity()
class Picture {
  @PrimaryGeneratedColumn() id!: number;
  @Column() owner!: string;
  @Column({ nullable: true, type: "integer" }) bytes!: number | null;
  @PrivateFileColumn<Picture>({ fields: { size: "bytes" } }) file!: PrivateFile;
}

let quota: (event: BeforeAttachEvent<Picture>) => void | Promise<void>;

@EventSubscriber()
class Quota implements PrivateFileSubscriber<Picture> {
  listenTo() {
    return Picture;
  }
  beforeAttach(event: BeforeAttachEvent<Picture>) {
    return quota(event);
  }
}

let application: Application;
before(async () => {
  application = await startApplication({ entities: [Picture], subscribers: [Quota] });
});
after(() => application.close());
beforeEach(() => application.dataSource.manager.clear(Picture));

async function attach(owner: string, size = 100): Promise<Picture> {
  const picture = application.dataSource.manager.create(Picture, { owner });
  await application.files.attach(picture, "file", Buffer.alloc(size), { filename: "a.png" });
  return picture;
}

async function upload(owner: string, size?: number): Promise<void> {
  await application.dataSource.manager.save(await attach(owner, size));
}

async function storedFiles(): Promise<string[]> {
  const entries = await readdir(application.storage.root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** An upload of alice's is refused and not kept; bob's goes through. */
async function isOnlyFullFor(alice: string, size?: number): Promise<void> {
  const before = await storedFiles();
  await assert.rejects(upload(alice, size), { name: "UploadError", reason: "too-large", status: 413 });
  assert.deepEqual(await storedFiles(), before);
  await upload("bob", size);
}

function full(): UploadError {
  return new UploadError("too-large", "Picture.file: the quota is used up. Remove other pictures first.");
}

describe("A quota for each user, asked in beforeAttach,", () => {
  it("refuses an upload whose bytes are too many together with those that are there", async () => {
    quota = async ({ entity: { owner }, file, manager }) => {
      const used = (await manager.sum(Picture, "bytes" as never, { owner })) ?? 0;
      if (used + file.size > 1000) throw full();
    };
    await upload("alice", 900);
    await upload("alice", 100);
    await isOnlyFullFor("alice", 1);
  });

  it("refuses an upload whose owner has as many files as are allowed", async () => {
    quota = async ({ entity: { owner }, manager }) => {
      if ((await manager.countBy(Picture, { owner })) >= 2) throw full();
    };
    for (let n = 0; n < 2; n++) await upload("alice");
    await isOnlyFullFor("alice");
  });

  it("refuses an upload whose owner has as many under way as are allowed, until one of them is over", async () => {
    const underWay = new Map<string, number>();
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    quota = async ({ entity: { owner } }) => {
      const count = underWay.get(owner) ?? 0;
      if (count >= 2) throw full();
      underWay.set(owner, count + 1);
      await gate;
      underWay.set(owner, underWay.get(owner)! - 1);
    };
    let refused = 0;
    const uploads = Array.from({ length: 5 }, () => attach("alice").catch(() => void refused++));
    while (refused < 3) await new Promise(setImmediate);
    const other = attach("bob");
    go();
    await Promise.all([...uploads, other]);
    assert.equal(refused, 3);
    await attach("alice");
  });

  it("is asked of no upload that fails before all of its bytes are there", async () => {
    quota = () => assert.fail("it was asked");
    const picture = application.dataSource.manager.create(Picture, { owner: "alice" });
    const stream = new PassThrough();
    stream.write("some");
    const attaching = application.files.attach(picture, "file", stream);
    setTimeout(() => stream.destroy(), 20);
    await assert.rejects(attaching, { name: "UploadError", reason: "failed" });
  });
});
