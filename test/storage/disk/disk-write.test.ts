import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { KeyTakenError } from "../../../src/errors.js";
import { randomSegment } from "../../../src/storage/key.js";
import { run } from "../../support/programs.js";
import { all } from "../../support/requirements.js";
import { DiskFixture, descriptorsUnder, generated, nodeCommand, onOpen } from "../../support/storage-disk.js";

const onLinux = process.platform === "linux" ? false : "only Linux has /proc";

const COUNT = all ? 1000 : 100;

describe("DiskStorage.put", () => {
  const disk = DiskFixture.beforeEach();

  it(`loses none of ${COUNT} concurrent uploads of different keys in one folder`, async () => {
    await Promise.all(Array.from({ length: COUNT }, (_, n) => disk.put(`same/folder/${n}`, `upload ${n}`)));
    const texts = await Promise.all(
      Array.from({ length: COUNT }, (_, n) => disk.storage.read(`same/folder/${n}`).then(text)),
    );
    assert.deepEqual(
      texts,
      Array.from({ length: COUNT }, (_, n) => `upload ${n}`),
    );
    assert.equal((await disk.entries()).length, COUNT + 2);
  });

  it("makes missing folders also where modules have an Error of their own, as in Jest", async (t) => {
    const { Error: nodes } = globalThis;
    t.after(() => Object.assign(globalThis, { Error: nodes }));
    Object.assign(globalThis, { Error: runInNewContext("Error") });
    await disk.put("new/folder/a", "bytes");
    await assert.rejects(disk.put("new/folder/a"), { code: "ERR_PRIVATE_FILE_KEY_TAKEN" });
    assert.equal(await disk.storage.stat("new/folder/b"), undefined);
  });

  it(`lets one of ${COUNT} concurrent uploads of a key win`, async () => {
    const results = await Promise.allSettled(
      Array.from({ length: COUNT }, (_, n) => disk.put("same/key", `upload ${n}`)),
    );
    const winner = results.findIndex(({ status }) => status === "fulfilled");
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    for (const result of results) if (result.status === "rejected") assert.ok(result.reason instanceof KeyTakenError);
    assert.equal(await text(await disk.storage.read("same/key")), `upload ${winner}`);
    assert.deepEqual(await disk.entries(), ["same", "same/key"]);
  });

  it("lets one process of four win each key", async () => {
    const code = `const storage = new DiskStorage(root); let won = 0;
      await Promise.all(Array.from({ length: 50 }, (_, n) => put(storage, "k/" + n, 3).then(() => won++, (error) => { if (error.name !== "KeyTakenError") throw error; })));
      return won;`;
    const command = nodeCommand(disk.storage.root, code);
    const children = await Promise.all(Array.from({ length: 4 }, () => run(...command)));
    const won = children.map(({ stdout, stderr }) => (stderr ? assert.fail(stderr) : Number(stdout)));
    assert.equal(
      won.reduce((sum, count) => sum + count),
      50,
    );
    assert.equal((await disk.entries()).length, 51);
  });

  it("goes on while others delete, and folders come and go under it", async () => {
    const folder = `a/${randomSegment()}`;
    const writers = Array.from({ length: 20 }, async (_, writer) => {
      for (let n = 0; n < 10; n++) {
        await disk.put(`${folder}/${writer}-${n}`);
        await disk.storage.delete(`${folder}/${writer}-${n}`);
      }
    });
    await Promise.all(writers);
    assert.deepEqual(await disk.entries(), ["a"]);
  });

  it("makes its folder again when somebody removes it at the last moment", async (t) => {
    const link = fs.link.bind(fs);
    let removed = 0;
    t.mock.method(fs, "link", async (from: string, to: string) => {
      if (removed++ < 3) await fs.rm(disk.path("a"), { recursive: true });
      return link(from, to);
    });
    await disk.put("a/b/c");
    assert.equal(removed, 4);
    assert.deepEqual(await disk.entries(), ["a", "a/b", "a/b/c"]);
  });

  it("makes its folder again when somebody removes it while it is opened", async (t) => {
    const open = fs.open.bind(fs);
    let removed = 0;
    t.mock.method(fs, "open", async (path: string, flags: number, mode?: number) => {
      const handle = await open(path, flags, mode);
      if (path === disk.path("a", "b") && removed++ < 3) await fs.rm(disk.path("a"), { recursive: true });
      return handle;
    });
    await disk.put("a/b/c");
    assert.equal(removed, 4);
    assert.deepEqual(await disk.entries(), ["a", "a/b", "a/b/c"]);
  });

  it("writes socket-sized chunks in batches of 512 KiB or more", async (t) => {
    const written: number[] = [];
    onOpen(t, ".incomplete/", (handle) => {
      const writev = handle.writev.bind(handle);
      handle.writev = (buffers) => {
        written.push(buffers.reduce((sum, { byteLength }) => sum + byteLength, 0));
        return writev(buffers);
      };
    });
    await disk.storage.put("big", generated(10 * 1024 * 1024 + 1));
    assert.equal(
      written.reduce((sum, length) => sum + length),
      10 * 1024 * 1024 + 1,
    );
    for (const length of written.slice(0, -1)) assert.ok(length >= 512 * 1024, `${length}`);
  });

  it("takes a body of tiny and empty chunks", async () => {
    const chunks = Array.from({ length: 5000 }, (_, n) => Buffer.alloc(n % 3, n));
    await disk.storage.put("tiny", Readable.from(chunks));
    assert.ok((await fs.readFile(disk.path("tiny"))).equals(Buffer.concat(chunks)));
  });

  it("writes the rest when the disk takes a part", async (t) => {
    onOpen(t, ".incomplete/", (handle) => {
      handle.writev = async (buffers) => {
        const { bytesWritten } = await handle.write(buffers[0]! as Uint8Array, 0, 1000);
        return { bytesWritten, buffers: [...buffers] as NodeJS.ArrayBufferView[] } as never;
      };
    });
    const bytes = randomBytes(200_000);
    await disk.put("a", bytes);
    assert.ok((await fs.readFile(disk.path("a"))).equals(bytes));
  });

  it("needs no more memory for 256 MiB than for a small file", async () => {
    const code = `const storage = new DiskStorage(root); const chunk = 64 * 1024;
      const body = (length) => { let left = length; return new Readable({ read() { this.push(left > 0 ? Buffer.alloc(chunk, 120) : null); left -= chunk; } }); };
      await storage.put("small", body(4 * 2 ** 20));
      let peak = 0; const before = process.memoryUsage().rss;
      const timer = setInterval(() => peak = Math.max(peak, process.memoryUsage().rss - before), 5);
      const { size } = await storage.put("big", body(256 * 2 ** 20)); clearInterval(timer);
      return [size, peak];`;
    const command = nodeCommand(disk.storage.root, code);
    const child = await run(...command);
    const [size, peak] = JSON.parse(child.stdout || "[]");
    assert.equal(size, 256 * 2 ** 20, child.stderr);
    assert.ok(peak < 64 * 2 ** 20, `${peak / 2 ** 20} MiB`);
  });

  it("leaves no descriptor behind, however an upload ends", { skip: onLinux }, async () => {
    for (let n = 0; n < 60; n++) {
      const body = new PassThrough();
      body.write("half");
      const putting = disk.storage.put(n % 2 ? `key-${n}` : "same", body).catch(() => {});
      if (n % 3 === 0) body.destroy(new Error("client left"));
      else if (n % 3 === 1) setImmediate(() => body.destroy());
      else body.end();
      await putting;
    }
    assert.deepEqual(await descriptorsUnder(disk.storage.root), []);
    assert.deepEqual(await fs.readdir(disk.path(".incomplete")), []);
  });

  it("syncs the bytes before they get their name, and every new name after", async (t) => {
    const trace = join(disk.outside, "trace");
    const code = `const storage = new DiskStorage(root); await put(storage, "first", 3); await fs.access("/marker").catch(() => {});
      await put(storage, "a/b", 3); await fs.access("/marker").catch(() => {}); return true;`;
    const calls = "trace=access,faccessat2,openat,mkdir,mkdirat,link,linkat,unlink,unlinkat,writev,fdatasync,fsync";
    const { code: failed, stderr } = await run(
      "strace",
      "-f",
      "-y",
      "-o",
      trace,
      "-e",
      calls,
      ...nodeCommand(disk.storage.root, code),
    );
    if (failed) return t.skip(`strace: ${stderr}`);
    const lines = (await fs.readFile(trace, "utf8")).split('"/marker"')[1]!.split("\n");
    assert.deepEqual(stepsOf(lines, disk.storage.root), [
      "create incomplete",
      "fdatasync incomplete",
      "mkdir",
      "fsync root",
      "link",
      "unlink incomplete",
      "fsync a",
    ]);
  });
});

/** What matters of a trace, in order: creating, syncing, naming. */
function stepsOf(lines: string[], root: string): string[] {
  const steps: string[] = [];
  for (const line of lines) {
    const call = /^\d+ +(\w+)\((.*)/.exec(line);
    if (call === null || line.includes("ENOENT")) continue;
    const [, name, args] = call as unknown as [string, string, string];
    const folder = args.includes(`<${root}/.incomplete/`) ? "incomplete" : args.includes(`<${root}/a>`) ? "a" : "root";
    if (name === "openat" && args.includes("O_CREAT|O_EXCL")) steps.push("create incomplete");
    else if (name === "fdatasync" || name === "fsync") steps.push(`${name} ${folder}`);
    else if (name.startsWith("mkdir")) steps.push("mkdir");
    else if (name.startsWith("unlink")) steps.push(`unlink ${args.includes(".incomplete/") ? "incomplete" : "?"}`);
    else if (name.startsWith("link")) steps.push("link");
  }
  return steps;
}
