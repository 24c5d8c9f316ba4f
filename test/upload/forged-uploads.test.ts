import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Context } from "koa";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { run } from "../support/programs.js";
import { needs } from "../support/requirements.js";
import { after, before, describe, it } from "../support/suite.js";
import { forgedBodies } from "./forged-bodies.js";

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "letters", nullable: true }) file!: PrivateFile | null;
}

const ATTACHING = { code: "ERR_PRIVATE_FILE_UPLOAD" };
const SAVING = { code: "ERR_PRIVATE_FILE_VALUE" };

let folder: string;
/** A file that no request may have read. */
let decoy: string;
let application: Application;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "private-files-"));
  decoy = join(folder, "decoy");
  await writeFile(decoy, "a secret");
  application = await startApplication({
    entities: [Letter],
    before: (app) => app.use((ctx, next) => (ctx.method === "POST" ? answer(ctx) : next())),
  });
});
after(async () => {
  await application.close();
  await rm(folder, { recursive: true });
});

async function answer(ctx: Context): Promise<void> {
  const { manager } = application.dataSource;
  const letter = new Letter();
  // Parsers such as koa-body's refuse some of the bodies. Not all do.
  const body = JSON.parse(await text(ctx.req));
  if (ctx.path === "/attach") await application.files.attach(letter, "file", body.file);
  else Object.assign(letter, body);
  await manager.save(letter);
  ctx.status = 204;
}

async function post(path: string, body: string): Promise<number> {
  const headers = { "Content-Type": "application/json" };
  return (await fetch(`http://127.0.0.1:${application.port}${path}`, { method: "POST", headers, body })).status;
}

async function keys(): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of application.storage.list("")) found.push(key);
  return found;
}

describe("A JSON body in place of an upload", () => {
  for (const what of Object.keys(forgedBodies(""))) {
    it(`is refused, whether it is attached or assigned and saved, and its path is left alone: ${what}`, async () => {
      const { errors, dataSource } = application;
      errors.length = 0;
      const body = `{"file":${forgedBodies(decoy)[what]}}`;
      assert.equal(await post("/attach", body), 400);
      assert.equal(await post("/assign", body), 500);
      assert.deepEqual(
        errors.map((error) => (error as { code?: string }).code),
        [ATTACHING.code, SAVING.code],
      );
      assert.deepEqual([await keys(), await dataSource.manager.count(Letter)], [[], 0]);
      assert.equal(await readFile(decoy, "utf8"), "a secret");
    });
  }

  it("leads to no system call with its path", { skip: needs("strace") }, async () => {
    const [trace, allowed] = [join(folder, "trace"), join(folder, "allowed")];
    await writeFile(allowed, "read me");
    const child = fileURLToPath(new URL("./forged-bodies-child.js", import.meta.url));
    const watched = ["-f", "-s", "1000", "-o", trace, "-e", "trace=%file", process.execPath, child, decoy, allowed];
    const { stdout, stderr } = await run("strace", ...watched);
    assert.deepEqual(
      JSON.parse(stdout || "null"),
      { codes: [ATTACHING.code, SAVING.code], rows: 0, name: "allowed.txt" },
      stderr,
    );
    // The first call starts the process, with the paths as its arguments.
    const calls = (await readFile(trace, "utf8")).split("\n").filter((call) => !call.includes("execve("));
    assert.ok(calls.some((call) => call.includes(`"${allowed}"`)));
    assert.deepEqual(
      calls.filter((call) => call.includes(decoy)),
      [],
    );
  });
});

describe("A text in place of an upload", () => {
  /** The keys of a row that is there, and of another. */
  async function savedKeys(): Promise<[own: Letter, other: string]> {
    const { files, dataSource } = application;
    const letters = [new Letter(), new Letter()] as const;
    for (const letter of letters) {
      await files.attach(letter, "file", Buffer.from("a letter"), { filename: "a.txt" });
      await dataSource.manager.save(letter);
    }
    return [letters[0], letters[1].file!.key];
  }

  const texts: [what: string, make: (own: string, other: string) => string][] = [
    ["the key of another row", (_own, other) => other],
    ["a path that climbs", () => "../../x"],
    ["an absolute path", () => "/etc/passwd"],
    ["a URL", () => "http://127.0.0.1/x"],
    ["a data: URL", () => "data:text/plain,x"],
    ["the key that the row has", (own) => own],
    ["nothing at all", () => ""],
  ];
  for (const [what, make] of texts) {
    it(`is refused by attach and by each way to write a row: ${what}`, async () => {
      const { files } = application;
      const { manager } = application.dataSource;
      const [{ id, file }, other] = await savedKeys();
      const [key, rows, objects] = [file!.key, await manager.count(Letter), await keys()];
      const forged = { file: make(key, other) as never };
      const loaded = await manager.findOneByOrFail(Letter, { id });
      const ways: [expected: object, write: () => unknown][] = [
        [ATTACHING, () => files.attach(new Letter(), "file", forged.file)],
        [SAVING, () => manager.save(manager.create(Letter, forged))],
        [SAVING, () => manager.save(Letter, { id, ...forged })],
        [SAVING, () => manager.save(Object.assign(loaded, forged))],
        [SAVING, () => manager.save(manager.merge(Letter, new Letter(), { id }, forged))],
        [SAVING, () => manager.insert(Letter, forged)],
        [SAVING, () => manager.update(Letter, { id }, forged)],
        [SAVING, () => manager.upsert(Letter, { id, ...forged }, ["id"])],
        [SAVING, () => manager.createQueryBuilder().update(Letter).set(forged).where({ id }).execute()],
        [SAVING, () => manager.createQueryBuilder().insert().into(Letter).values(forged).execute()],
      ];
      for (const [expected, write] of ways) await assert.rejects(async () => write(), expected, String(write));
      assert.equal((await manager.findOneByOrFail(Letter, { id })).file!.key, key);
      assert.deepEqual([await manager.count(Letter), await keys()], [rows, objects]);
    });
  }

  it("is taken where the ORM made a file of it: the key that the row has changes nothing", async () => {
    const { manager } = application.dataSource;
    const [{ id, file }] = await savedKeys();
    const loaded = await manager.findOneByOrFail(Letter, { id });
    await manager.save(loaded);
    await manager.update(Letter, { id }, { id, file: loaded.file });
    assert.equal((await manager.findOneByOrFail(Letter, { id })).file!.key, file!.key);
    assert.ok(await application.files.stat(loaded, "file"));
  });
});
