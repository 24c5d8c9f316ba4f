import assert from "node:assert/strict";
import { once } from "node:events";
import { rm, stat } from "node:fs/promises";
import { buffer, text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import Router from "@koa/router";
import Koa from "koa";
import { Entity, PrimaryColumn, PrimaryGeneratedColumn } from "typeorm";
import {
  type Delivery,
  DiskStorage,
  PrivateFile,
  PrivateFileColumn,
  PrivateFiles,
  type PrivateFilesOptions,
} from "typeorm-private-files";
import { type Application, startApplication } from "./support/application.js";
import { sqljs } from "./support/databases.js";
import { MemoryStorage } from "./support/memory-storage.js";

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "letters", nullable: true }) scan!: PrivateFile | null;
}

@Entity()
class Reading {
  @PrimaryColumn({ type: "datetime" }) at!: Date;
  @PrivateFileColumn() curve!: PrivateFile;
}

let application: Application;
let letter: Letter;

before(async () => {
  application = await startApplication({
    entities: [Letter],
    options: { prefix: "/f", baseUrl: "https://files.example" },
  });
  letter = new Letter();
  await application.files.attach(letter, "scan", Buffer.from("0123456789"), { filename: "a.txt" });
  await application.dataSource.manager.save(letter);
});
after(() => application.close());

describe("PrivateFiles.open", () => {
  it("gives the application all bytes, or a range of them, without asking the condition", async () => {
    assert.equal(await text(await application.files.open(letter, "scan")), "0123456789");
    assert.equal(await text(await application.files.open(letter, "scan", { start: 2, end: 4 })), "234");
    assert.equal((await buffer(await application.files.open(letter, "scan", { start: 9 }))).length, 1);
  });

  it("fails with a typed error for a file that the storage does not have", async () => {
    const lost = new Letter();
    const { key } = await application.files.attach(lost, "scan", Buffer.from("lost"));
    await application.storage.delete(key);
    await assert.rejects(application.files.open(lost, "scan"), {
      code: "ERR_PRIVATE_FILE_MISSING",
      message: /^Letter\.scan: the storage has no object ".*"\. Restore the file/,
    });
  });

  it("fails with a typed error for an entity without a file", async () => {
    await assert.rejects(application.files.open(new Letter(), "scan"), {
      code: "ERR_PRIVATE_FILE_NOT_FOUND",
      message: /^Letter\.scan: there is no file\. Attach one/,
    });
  });
});

describe("PrivateFiles.stat", () => {
  it("gives size and time, and nothing for a file that the storage does not have", async () => {
    const stored = await application.files.stat(letter, "scan");
    assert.equal(stored!.size, 10);
    assert.deepEqual(stored!.modifiedAt, (await stat(application.storage.path(letter.scan!.key))).mtime);
    const lost = new Letter();
    await application.files.attach(lost, "scan", Buffer.from("x"));
    await rm(application.storage.path(lost.scan!.key));
    assert.equal(await application.files.stat(lost, "scan"), undefined);
  });
});

describe("PrivateFiles.url", () => {
  it("begins with the base URL and the prefix, whatever a request says", () => {
    assert.equal(application.files.url(letter, "scan"), "https://files.example/f/letter/scan/1/a.txt");
  });

  it("is right where the prefix is the root", async (t) => {
    const other = await startApplication({ entities: [Letter], options: { prefix: "/" } });
    t.after(() => other.close());
    const another = new Letter();
    await other.files.attach(another, "scan", Buffer.from("x"), { filename: "b.txt" });
    await other.dataSource.manager.save(another);
    assert.equal(other.files.url(another, "scan"), "/letter/scan/1/b.txt");
    assert.equal((await other.get("/letter/scan/1/b.txt", { as: "anybody" })).status, 200);
    assert.equal((await other.get("/")).status, 404);
  });
});

describe("PrivateFiles.router", () => {
  it("may be nested in another router, below a path with parameters", async (t) => {
    const { files } = application;
    const app = new Koa();
    app.use((ctx, next) => {
      ctx.state.user = { id: 1 };
      return next();
    });
    const outer = new Router({ prefix: "/:tenant" });
    outer.use("/api", files.router.routes());
    app.use(outer.routes());
    const server = app.listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const answer = await fetch(`http://127.0.0.1:${port}/acme/api/f/letter/scan/1/a.txt`);
    assert.deepEqual([answer.status, await answer.text()], [200, "0123456789"]);
    assert.equal((await fetch(`http://127.0.0.1:${port}/acme/api/f/letter/scan/01/a.txt`)).status, 404);
  });
});

describe("the default condition", () => {
  const rows: [string, unknown, number][] = [
    ["ctx.isAuthenticated() says true", () => true, 200],
    ["ctx.isAuthenticated() says false, though ctx.state.user is set", () => false, 403],
    ["ctx.isAuthenticated() says something truthy", () => 1, 403],
  ];
  for (const [what, isAuthenticated, status] of rows) {
    it(`answers ${status} where ${what}`, async (t) => {
      const other = await startApplication({
        entities: [Letter],
        before: (app) => Object.assign(app.context, { isAuthenticated }),
      });
      t.after(() => other.close());
      const another = new Letter();
      await other.files.attach(another, "scan", Buffer.from("x"), { filename: "b.txt" });
      await other.dataSource.manager.save(another);
      assert.equal((await other.get(other.files.url(another, "scan"), { as: "somebody" })).status, status);
    });
  }
});

describe("a wrong option of PrivateFiles", () => {
  const wrong: [string, PrivateFilesOptions, RegExp][] = [
    [
      "a prefix without a slash",
      { prefix: "files" },
      /^PrivateFiles: "prefix" must be a path, got "files"\. Give one such as "\/files"/,
    ],
    ["a prefix with a slash at its end", { prefix: "/files/" }, /"prefix" must be a path, got "\/files\/"/],
    ["a prefix with parameters", { prefix: "/:tenant" }, /"prefix" must be a path, got "\/:tenant"/],
    [
      "a timeout of none",
      { timeout: 0 },
      /"timeout" must be more than 0 and at most 3600, got 0\. Give a number of seconds/,
    ],
    ["a timeout that is no number", { timeout: Number.NaN }, /"timeout" must be more than 0 and at most 3600, got NaN/],
    ["a timeout in milliseconds", { timeout: 10_000 }, /"timeout" must be more than 0 and at most 3600, got 10000/],
  ];
  for (const [what, options, message] of wrong) {
    it(`stops the application when it starts: ${what}`, () => {
      assert.throws(() => new PrivateFiles(application.dataSource, { storage: application.storage, ...options }), {
        name: "ConfigurationError",
        message,
      });
    });
  }

  it("stops the application when it starts: a primary key that can't stand in a URL", async (t) => {
    const { dataSource, close } = await sqljs.open({ entities: [Reading] });
    t.after(close);
    assert.throws(() => new PrivateFiles(dataSource, { storage: new MemoryStorage() }), {
      name: "ConfigurationError",
      message:
        /^Reading\.at: a primary key of type "datetime" can't stand in a URL\. Use an integer, a uuid or a text\.$/,
    });
  });
});

describe("a delivery of a column", () => {
  it("sends that column's files, gets whole files where it can't send ranges, and is not asked for HEAD", async (t) => {
    const delivered: unknown[] = [];
    const delivery: Delivery = {
      ranges: false,
      async deliver({ ctx, key, range, type, disposition }) {
        delivered.push({ key, range, type, disposition });
        ctx.body = "by hand";
      },
    };
    @Entity()
    class Postcard {
      @PrimaryGeneratedColumn() id!: number;
      @PrivateFileColumn({ delivery }) front!: PrivateFile;
    }
    const other = await startApplication({ entities: [Postcard] });
    t.after(() => other.close());
    const card = new Postcard();
    await other.files.attach(card, "front", Buffer.from("bytes"), { filename: "f.png" });
    await other.dataSource.manager.save(card);
    const url = other.files.url(card, "front");
    const answer = await other.get(url, { as: "anybody", headers: { Range: "bytes=0-1" } });
    assert.deepEqual([answer.status, answer.body.toString()], [200, "by hand"]);
    assert.equal(answer.headers["accept-ranges"], "none");
    await other.get(url, { as: "anybody", method: "HEAD" });
    const disposition = 'attachment; filename="f.png"';
    assert.deepEqual(delivered, [{ key: card.front.key, range: undefined, type: "image/png", disposition }]);
  });
});

describe("a storage of a column", () => {
  it("holds that column's files, and no others", async (t) => {
    const folder = `${application.storage.root}-own`;
    t.after(() => rm(folder, { recursive: true, force: true }));
    const own = new DiskStorage(folder);
    @Entity()
    class Parcel {
      @PrimaryGeneratedColumn() id!: number;
      @PrivateFileColumn({ storage: own }) label!: PrivateFile;
      @PrivateFileColumn() note!: PrivateFile;
    }
    const other = await startApplication({ entities: [Parcel] });
    t.after(() => other.close());
    const parcel = new Parcel();
    await other.files.attach(parcel, "label", Buffer.from("label"), { filename: "l.txt" });
    await other.files.attach(parcel, "note", Buffer.from("note"), { filename: "n.txt" });
    await other.dataSource.manager.save(parcel);
    assert.equal((await own.stat(parcel.label.key))?.size, 5);
    assert.equal(await own.stat(parcel.note.key), undefined);
    for (const property of ["label", "note"] as const) {
      const answer = await other.get(other.files.url(parcel, property), { as: "anybody" });
      assert.equal(answer.body.toString(), property);
    }
  });
});
