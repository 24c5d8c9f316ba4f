import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { Column, Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type BeforeAttachEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  type Storage,
} from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { beforeEach, describe, it, type TestContext } from "../support/suite.js";

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: "" }) title!: string;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

@Entity()
class Parcel {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ nullable: true }) photo!: PrivateFile | null;
}

let hook: (event: BeforeAttachEvent<Letter>) => void | Promise<void>;

@EventSubscriber()
class LetterScanner implements PrivateFileSubscriber<Letter> {
  listenTo() {
    return Letter;
  }
  beforeAttach(event: BeforeAttachEvent<Letter>) {
    return hook(event);
  }
}

const CONTENT = "%PDF-1.4 a letter";

for (const [kind, storage] of [
  ["a storage that can stage bytes", undefined],
  ["a storage that can't", () => new MemoryStorage()],
] as [string, (() => Storage) | undefined][]) {
  describe(`beforeAttach, with ${kind}`, () => {
    beforeEach(() => {
      hook = () => {};
    });

    it("is told of an upload when all of it is there, and can read it as often as it likes", async (t) => {
      const { application, objects } = await start(t, storage?.());
      const letter = Object.assign(new Letter(), { title: "to Bob" });
      const told: unknown[] = [];
      hook = async ({ entity, file, metadata, propertyName, dataSource, open }) => {
        told.push([entity === letter, file, metadata.name, propertyName, dataSource === application.dataSource]);
        for (let time = 0; time < 2; time++) told.push(await text(await open()));
        if (!storage) assert.deepEqual(await objects(), [], "nothing has a key yet");
      };
      await application.files.attach(letter, "scan", Readable.from([CONTENT], { objectMode: false }), {
        filename: "Brief.pdf",
      });
      const sha256 = createHash("sha256").update(CONTENT).digest("hex");
      const file = { name: "Brief.pdf", size: CONTENT.length, type: "application/pdf", sha256 };
      assert.deepEqual(told, [[true, file, "Letter", "scan", true], CONTENT, CONTENT]);
      assert.deepEqual(await objects(), [letter.scan!.key]);
    });

    it("refuses an upload by throwing: attach throws the same, and nothing is kept", async (t) => {
      const { application, objects, incomplete } = await start(t, storage?.());
      const letter = new Letter();
      const infected = Object.assign(new Error("infected"), { status: 422 });
      hook = async ({ open }) => {
        (await open()).destroy();
        throw infected;
      };
      await assert.rejects(
        application.files.attach(letter, "scan", Buffer.from(CONTENT)),
        (error) => error === infected,
      );
      assert.deepEqual([letter.scan, await objects(), await incomplete()], [undefined, [], []]);
    });

    it("is not understood when it returns false", async (t) => {
      const { application, objects } = await start(t, storage?.());
      hook = () => false as never;
      await assert.rejects(application.files.attach(new Letter(), "scan", Buffer.from(CONTENT)), {
        code: "ERR_PRIVATE_FILE_FAILED",
        message: /^LetterScanner\.beforeAttach: returned false, .* Throw an error to refuse the upload/,
      });
      assert.deepEqual(await objects(), []);
    });

    it("is told of a copy, and not of an upload to another entity, which is put at once", async (t) => {
      const { application } = await start(t, storage?.());
      const names: string[] = [];
      hook = ({ file }) => {
        names.push(file.name);
      };
      const [parcel, letter] = [new Parcel(), new Letter()];
      await application.files.attach(parcel, "photo", Buffer.from(CONTENT), { filename: "a.pdf" });
      assert.deepEqual(names, []);
      await application.files.copy(parcel, "photo", letter, "scan");
      assert.deepEqual(names, ["a.pdf"]);
    });

    it("keeps nothing when the signal is aborted while it runs", async (t) => {
      const { application, objects, incomplete } = await start(t, storage?.());
      const controller = new AbortController();
      hook = () => controller.abort();
      const attaching = application.files.attach(new Letter(), "scan", Buffer.from(CONTENT), {
        signal: controller.signal,
      });
      await assert.rejects(attaching, { reason: "aborted" });
      assert.deepEqual([await objects(), await incomplete()], [[], []]);
    });
  });
}

async function start(t: TestContext, storage?: Storage) {
  const application: Application = await startApplication({
    entities: [Letter, Parcel],
    subscribers: [LetterScanner],
    options: storage ? { storage } : {},
  });
  t.after(() => application.close());
  const kept = storage ?? application.storage;
  return {
    application,
    async objects() {
      const keys: string[] = [];
      for await (const { key } of kept.list("")) keys.push(key);
      return keys;
    },
    incomplete: () => (storage ? [] : readdir(join(application.storage.root, ".incomplete"))),
  };
}
