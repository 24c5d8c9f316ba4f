import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  UploadError,
  type UploadFailure,
} from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { descriptorsUnder } from "../support/storage-disk.js";
import { after, before, beforeEach, describe, it } from "../support/suite.js";

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ nullable: true }) plain!: PrivateFile | null;
  @PrivateFileColumn({ nullable: true, maxSize: 1_000_000, accept: [".txt"] }) ruled!: PrivateFile | null;
}

@Entity()
class Watched {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ nullable: true }) watched!: PrivateFile | null;
}

@EventSubscriber()
class Watcher implements PrivateFileSubscriber<Watched> {
  listenTo() {
    return Watched;
  }
  beforeAttach() {}
}

const BYTES = Buffer.alloc(200_000, "x");
let application: Application;
/** Where the temporary files of a form parser are. */
let incoming: string;
before(async () => {
  application = await startApplication({ entities: [Scan, Watched], subscribers: [Watcher] });
  incoming = join(dirname(application.storage.root), "incoming");
  await mkdir(incoming);
});
after(() => application.close());
beforeEach(() => writeFile(join(incoming, "upload"), BYTES));

/** What goes wrong, and how it is refused. */
const SOURCES: [what: string, reason: UploadFailure, make: () => unknown][] = [
  ["fails before its first byte", "failed", () => failing(0)],
  ["fails in the middle", "failed", () => failing(100_000)],
  ["fails after its last byte", "failed", () => failing(BYTES.length)],
  ["is closed before its end", "failed", () => closedEarly()],
  ["never ends", "stalled", () => stalled()],
  ["was read before", "unusable", () => readBefore()],
  ["was destroyed before", "unusable", () => Readable.from([BYTES], { objectMode: false }).destroy()],
  ["is in object mode", "unusable", () => Readable.from([{ length: 3 }])],
  ["is a Blob with more bytes than it says", "length", () => lyingBlob(BYTES.length - 1)],
  ["is a Blob with fewer bytes than it says", "length", () => lyingBlob(BYTES.length + 1)],
  ["is a temporary file with more bytes than its parser says", "length", () => temporaryFile(BYTES.length - 1)],
  ["is a temporary file with fewer bytes than its parser says", "length", () => temporaryFile(BYTES.length + 1)],
];

for (const property of ["plain", "ruled", "watched"] as const) {
  describe(`An upload to a ${property} column that fails`, () => {
    for (const [what, reason, make] of SOURCES) {
      it(`leaves no row, no file and no descriptor when its source ${what}`, async () => {
        const { storage, dataSource } = application;
        await assert.rejects(attachAndSave(property, await make()), (error: UploadError) => {
          assert.ok(error instanceof UploadError, String(error));
          assert.equal(error.reason, reason, error.message);
          return true;
        });
        assert.equal((await dataSource.manager.count(Scan)) + (await dataSource.manager.count(Watched)), 0);
        const entries = await readdir(storage.root, { recursive: true, withFileTypes: true });
        assert.deepEqual(
          entries.filter((entry) => entry.isFile()).map(({ name }) => name),
          [],
        );
        assert.deepEqual(await readdir(incoming), what.includes("temporary") ? [] : ["upload"]);
        if (process.platform === "linux") assert.deepEqual(await descriptorsUnder(dirname(storage.root)), []);
      });
    }
  });
}

describe("A stream for two files", () => {
  for (const [what, both] of [
    ["at the same time", (calls: (() => Promise<unknown>)[]) => Promise.allSettled(calls.map((call) => call()))],
    [
      "one after the other",
      async ([one, other]: (() => Promise<unknown>)[]) => [await settled(one!), await settled(other!)],
    ],
  ] as const) {
    it(`is stored whole for the property that gets it first, and nothing of it for the other, ${what}`, async () => {
      const { files, dataSource, storage } = application;
      const scan = new Scan();
      const source = Readable.from([BYTES.subarray(0, 1000), BYTES.subarray(1000)], { objectMode: false });
      const attach = (property: "plain" | "ruled") => () => files.attach(scan, property, source, { filename: "a.txt" });
      const [first, second] = await both([attach("plain"), attach("ruled")]);
      assert.ok(first?.status === "fulfilled" && second?.status === "rejected" && second.reason instanceof UploadError);
      assert.equal(scan.ruled, undefined);
      await dataSource.manager.save(scan);
      await dataSource.manager.save(scan);
      const { key } = scan.plain!;
      assert.ok((await readFile(storage.path(key))).equals(BYTES));
      const entries = await readdir(storage.root, { recursive: true, withFileTypes: true });
      assert.equal(entries.filter((entry) => entry.isFile()).length, 1);
      await dataSource.manager.remove(scan);
    });
  }
});

async function settled(call: () => Promise<unknown>): Promise<PromiseSettledResult<unknown>> {
  return (await Promise.allSettled([call()]))[0]!;
}

/** As a route does. */
async function attachAndSave(property: "plain" | "ruled" | "watched", source: unknown): Promise<void> {
  const { files, dataSource } = application;
  const entity = property === "watched" ? new Watched() : new Scan();
  const options = { filename: "a.txt", stallTimeout: 0.1 };
  await files.attach(entity as Scan, property as "plain", source as Readable, options);
  await dataSource.manager.save(entity);
}

function failing(after: number): Readable {
  return Readable.from(
    (async function* () {
      if (after > 0) yield BYTES.subarray(0, after);
      throw new Error("the line is dead");
    })(),
    { objectMode: false },
  );
}

function closedEarly(): Readable {
  const stream = stalled();
  setTimeout(() => stream.destroy(), 20);
  return stream;
}

function stalled(): Readable {
  const stream = new PassThrough();
  stream.write(BYTES.subarray(0, 1000));
  return stream;
}

async function readBefore(): Promise<Readable> {
  const stream = Readable.from([BYTES], { objectMode: false });
  await buffer(stream);
  return stream;
}

function lyingBlob(size: number): Blob {
  return Object.defineProperty(new Blob([BYTES]), "size", { value: size });
}

function temporaryFile(size: number): EventEmitter {
  return Object.assign(new EventEmitter(), { filepath: join(incoming, "upload"), originalFilename: "a.txt", size });
}
