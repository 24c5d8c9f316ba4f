import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import net from "node:net";
import { dirname, join, sep } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type Koa from "koa";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { DiskStorage, PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { adoptedFile } from "../support/adopted-file.js";
import { type Application, startApplication } from "../support/application.js";
import { run } from "../support/programs.js";
import { descriptorsUnder } from "../support/storage-disk.js";

let uploadTo: (scan: Scan, filename: string) => unknown;

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ nullable: true, uploadTo: "uploads", condition: () => true }) file!: PrivateFile | null;
  @PrivateFileColumn<Scan>({
    nullable: true,
    uploadTo: (scan, filename) => uploadTo(scan, filename) as string,
    condition: () => true,
  })
  named!: PrivateFile | null;
}

const onLinux = process.platform === "linux" ? false : "only Linux has /proc";
const SECRET = "a secret outside the root";
let application: Application;
let root: string;
/** A file beside the root, which no request may reach or change. */
let secret: string;

before(async () => {
  application = await startApplication({ entities: [Scan], before: addUpload });
  ({ root } = application.storage);
  secret = join(dirname(root), "secret.txt");
});
after(() => application.close());
beforeEach(async () => {
  uploadTo = (_scan, filename) => `named/${filename}`;
  for (const name of await readdir(root)) await rm(join(root, name), { recursive: true });
  for (const name of await readdir(dirname(root)))
    if (name !== "files") await rm(join(dirname(root), name), { recursive: true });
  writeFileSync(secret, SECRET);
});

describe("a stored name that looks encoded", () => {
  const names = [
    "..%2f2%2fsecret.pdf",
    "%2e%2e",
    "100%.pdf",
    "%41.pdf",
    "a%00b",
    "%252e",
    "a%2fb.pdf",
    "a b+c&d=e;f?g#h.pdf",
  ];
  for (const name of names) {
    it(`is decoded once, in the URL, and is sent as its own bytes: ${name}`, async () => {
      // What a second decoding would find.
      const decoys = ["docs/2/secret.pdf", "docs/A.pdf", "docs/1/A.pdf", "docs/1/a/b.pdf", "docs/1/%2e"];
      for (const decoy of decoys) place(decoy, "another record's");
      const url = await urlOf(place(`docs/1/${name}`, `bytes of ${name}`));
      for (const method of ["GET", "HEAD"]) assert.equal((await application.get(url, { method })).status, 200);
      assert.equal((await application.get(url)).body.toString(), `bytes of ${name}`);
      const headers = { "Accept-Encoding": "gzip, br", Range: "bytes=0-4" };
      assert.equal((await application.get(url, { headers })).body.toString(), "bytes");
    });
  }

  it("is asked for under one URL: neither decoded further nor encoded further is it found", async () => {
    const url = await urlOf(place("docs/1/%41.pdf", "bytes"));
    const others = ["A.pdf", "%41.pdf", "%252541.pdf", "..%2F1%2F%2541.pdf", "..%252f1%252f%2541.pdf"];
    for (const other of others) {
      assert.equal((await application.get(url.replace(/[^/]*$/, other))).status, 404, other);
    }
  });
});

describe("a hidden file", () => {
  it("that was stored is sent as any other", async () => {
    for (const key of [".env.pdf", ".d/x", ".git/config"]) {
      const answer = await application.get(await urlOf(place(key, `bytes of ${key}`)));
      assert.deepEqual([answer.status, answer.body.toString()], [200, `bytes of ${key}`]);
    }
  });

  it("is not listed, nor is anything else: what lies above a file is 404", async () => {
    const url = await urlOf(place("uploads/x/a.pdf", "bytes"));
    const parts = url.split("/");
    for (let length = 1; length < parts.length; length++) {
      for (const path of [parts.slice(0, length).join("/") || "/", `${parts.slice(0, length).join("/")}/`]) {
        const { status, body } = await application.get(path);
        assert.deepEqual([status, body.toString()], [404, "Not Found"], path);
      }
    }
  });
});

describe("a row that names what somebody else put into the root", () => {
  it("is 404 for a symbolic link to a file or a folder, one that dangles, a loop, and one to /proc", async () => {
    place("real/inside.txt", "inside");
    mkdirSync(join(dirname(root), "other"));
    writeFileSync(join(dirname(root), "other", "a.txt"), SECRET);
    symlinkSync(secret, join(root, "file"));
    symlinkSync("real/inside.txt", join(root, "inside"));
    symlinkSync(join(dirname(root), "other"), join(root, "folder"));
    symlinkSync("real", join(root, "within"));
    symlinkSync("nowhere", join(root, "dangling"));
    symlinkSync("loop", join(root, "loop"));
    symlinkSync("/proc/self/cmdline", join(root, "cmdline"));
    symlinkSync("/proc/self", join(root, "proc"));
    const keys = ["file", "inside", "folder/a.txt", "within/inside.txt", "dangling", "loop", "loop/x", "cmdline"];
    for (const key of [...keys, "proc/cmdline", "proc/cwd/package.json"]) await isNotFound(key);
    assert.equal(readFileSync(secret, "utf8"), SECRET);
  });

  it("is 404 for a hard link where the storage refuses those, and the file where it does not", async (t) => {
    linkSync(secret, join(root, "hard"));
    const url = await urlOf("hard");
    assert.equal((await application.get(url)).body.toString(), SECRET);
    const strict = new DiskStorage(root, { refuseHardLinks: true });
    t.mock.method(application.storage, "open", (key: string) => strict.open(key));
    t.mock.method(application.storage, "stat", (key: string) => strict.stat(key));
    await isNotFound("hard");
    place("single", "its own");
    assert.equal((await application.get(await urlOf("single"))).body.toString(), "its own");
  });

  it("is never a file outside while a folder and a link to another change places", async () => {
    mkdirSync(join(dirname(root), "other"));
    writeFileSync(join(dirname(root), "other", "a.txt"), SECRET);
    symlinkSync(join(dirname(root), "other"), join(root, "link"));
    const url = await urlOf(place("folder/a.txt", "public"));
    const seen: Record<string, number> = {};
    const until = Date.now() + 500;
    const swapping = (async () => {
      while (Date.now() < until || !seen["200 public"]) {
        renameSync(join(root, "folder"), join(root, "real"));
        renameSync(join(root, "link"), join(root, "folder"));
        await new Promise(setImmediate);
        renameSync(join(root, "folder"), join(root, "link"));
        renameSync(join(root, "real"), join(root, "folder"));
        await new Promise(setImmediate);
      }
    })();
    const clients = Array.from({ length: 4 }, async () => {
      while (Date.now() < until || !seen["200 public"]) {
        const { status, body } = await application.get(url);
        const what = `${status} ${body}`;
        seen[what] = (seen[what] ?? 0) + 1;
      }
    });
    await Promise.all([swapping, ...clients]);
    assert.deepEqual(
      Object.keys(seen).filter((what) => what !== "200 public" && what !== "404 Not Found"),
      [],
    );
  });

  it("is 404 at once for a folder, a socket, and a device or a file of /proc behind a link", async (t) => {
    mkdirSync(join(root, "folder", "sub"), { recursive: true });
    symlinkSync("/dev/zero", join(root, "zero"));
    symlinkSync("/proc/self/status", join(root, "status"));
    for (const key of ["folder", "folder/sub", "zero", "status"]) await isNotFound(key);
    const server = net.createServer();
    t.after(() => server.close());
    const listening = await new Promise((resolve) => {
      server.once("error", resolve).listen(join(root, "socket"), () => resolve(true));
    });
    if (listening !== true) return t.skip(`the path is too long for a socket: ${listening}`);
    await isNotFound("socket");
  });

  for (const [what, kind, ...numbers] of [
    ["a character device", "c", "1", "5"],
    ["a block device", "b", "7", "0"],
  ] as const) {
    it(`is 404 at once for ${what}`, async (t) => {
      const { code, stderr } = await run("mknod", join(root, "device"), kind, ...numbers);
      if (code !== 0) return t.skip(`mknod needs the superuser: ${stderr}`);
      await isNotFound("device");
    });
  }

  it("is 404 at once for a FIFO, whose 100 requests delay no other and keep no process from ending", async (t) => {
    const { code, stderr } = await run("mkfifo", join(root, "fifo"));
    if (code !== 0) return t.skip(`mkfifo: ${stderr}`);
    // A thread that waits for the FIFO's other end would keep the process for ever.
    const script = fileURLToPath(new URL("./fifo-requests.js", import.meta.url));
    const child = await promisify(execFile)(process.execPath, [script], { signal: t.signal, killSignal: "SIGKILL" });
    assert.deepEqual(JSON.parse(child.stdout), { statuses: [404], body: "normal" });
    await isNotFound("fifo");
  });
});

describe("the name of an upload", () => {
  const traversals = ["/tmp/hax0rd.txt", "C:\\Windows\\hax0rd.txt", "C:/Windows/hax0rd.txt", "\\tmp\\hax0rd.txt"];
  traversals.push("/tmp\\hax0rd.txt", "subdir/hax0rd.txt", "subdir\\hax0rd.txt", "sub/dir\\hax0rd.txt");
  traversals.push("../../hax0rd.txt", "..\\..\\hax0rd.txt", "../..\\hax0rd.txt", "..\\../hax0rd.txt", "..//hax0rd.txt");

  it("leads nowhere: each of 13 that climb is stored in the upload folder as hax0rd.txt", async () => {
    for (const name of traversals) {
      const { key, url } = await upload("file", name);
      assert.match(key, /^uploads\/[a-z0-9]{30}\/hax0rd\.txt$/, name);
      assert.equal((await application.get(url)).body.toString(), `content of ${name}`);
    }
    const stored = filesBelow(root);
    assert.equal(stored.length, traversals.length);
    assert.deepEqual(readdirSync(dirname(root)).sort(), ["files", "secret.txt"]);
  });

  it("is made one where it is none: each of 7 that Django refuses is stored as file", async () => {
    for (const name of ["/tmp/", "/tmp/..", "/tmp/.", "../", "/..", "/.", "\\..\\"]) {
      assert.match((await upload("file", name)).key, /^uploads\/[a-z0-9]{30}\/file$/, name);
    }
  });

  it("shares no file with another on any file system, be it blind to case, to Unicode's forms or to dots at the end", async () => {
    const devices = ["CON", "PRN", "AUX", "NUL"];
    for (const digit of "123456789") devices.push(`COM${digit}`, `LPT${digit}`);
    const others = ["a".repeat(255), "a".repeat(256), "€".repeat(85), "€".repeat(86), `${"👩‍👩‍👧".repeat(20)}.pdf`];
    others.push("a.", "a ", "a. ", "a:b", "f::$DATA", "A.pdf", "a.pdf", "caf\u00e9.txt", "cafe\u0301.txt", "a．b");
    others.push("COM¹", "$I30", ".htaccess");
    assert.equal(devices.length + others.length, 40);
    for (const column of ["file", "named"] as const) {
      const folded = new Set<string>();
      for (const name of [...devices, ...others]) {
        const { key, url } = await upload(column, name);
        folded.add(key.normalize("NFD").toLowerCase().normalize("NFC"));
        const segment = key.slice(key.lastIndexOf("/") + 1);
        assert.match(segment, /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}._-]*(?<!\.)$/u);
        assert.doesNotMatch(segment, /^(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])(?:\.|$)/i);
        assert.equal((await application.get(url)).body.toString(), `content of ${name}`);
      }
      if (column === "file") assert.equal(folded.size, 40);
    }
    assert.equal(filesBelow(root).length, 80);
  });

  it("has its lone surrogates replaced, and two that the disk would take for one are two files", async () => {
    const [high, low] = [await upload("named", "a\ud800.pdf"), await upload("named", "a\udfff.pdf")];
    for (const { key } of [high, low]) assert.match(key, /^named\/[a-z0-9]{30}\/a_\.pdf$/);
    assert.equal((await application.get(high.url)).body.toString(), "content of a\ufffd.pdf");
    assert.equal((await application.get(low.url)).body.toString(), "content of a\ufffd.pdf");
    assert.equal(filesBelow(root).length, 2);
  });
});

describe("what uploadTo makes of a request", () => {
  const wrong = ["/nowhere/at/all", "../x", "", undefined, "a\0b", "x".repeat(5000), "uploads/", "a\\b", {}, 1n];
  it("is written only where it is a key: else the answer is 500, and nothing is stored", async () => {
    for (const key of [...wrong, Promise.resolve("../x")]) {
      uploadTo = () => key;
      assert.equal((await post("named", "a.pdf")).status, 500, String(key));
    }
    uploadTo = () => {
      throw new Error("no tenant");
    };
    assert.equal((await post("named", "a.pdf")).status, 500);
    assert.deepEqual(filesBelow(root), []);
    const codes = application.errors.slice(-12).map((error) => (error as { code?: string }).code);
    assert.deepEqual(new Set(codes), new Set(["ERR_PRIVATE_FILE_KEY"]));
  });

  it("takes nothing away: in another record's folder, or under its very key, it gets a folder there", async () => {
    uploadTo = () => "records/1/report.pdf";
    const [first, second] = [await upload("named", "one.pdf"), await upload("named", "two.pdf")];
    for (const { key } of [first, second]) assert.match(key, /^records\/1\/[a-z0-9]{30}\/report\.pdf$/);
    uploadTo = () => first.key;
    const third = await upload("named", "three.pdf");
    assert.equal(dirname(dirname(third.key)), dirname(first.key));
    for (const [name, { url }] of Object.entries({ one: first, two: second, three: third })) {
      assert.equal((await application.get(url)).body.toString(), `content of ${name}.pdf`);
    }
  });

  it("does not follow what was planted at its key: a link, a FIFO or a folder stays as it is", async (t) => {
    mkdirSync(join(root, "named", "folder"), { recursive: true });
    symlinkSync(secret, join(root, "named", "link"));
    symlinkSync(join(dirname(root), "made-by-upload"), join(root, "named", "dangling"));
    const { code, stderr } = await run("mkfifo", join(root, "named", "fifo"));
    if (code !== 0) t.diagnostic(`mkfifo: ${stderr}`);
    for (const planted of ["link", "dangling", "folder", ...(code === 0 ? ["fifo"] : [])]) {
      const { key, url } = await upload("named", planted);
      assert.match(key, new RegExp(`^named/[a-z0-9]{30}/${planted}$`));
      assert.equal((await application.get(url)).body.toString(), `content of ${planted}`);
      if (planted === "folder") continue;
      uploadTo = () => `named/${planted}/a.pdf`;
      assert.equal((await post("named", planted)).status, 500);
      uploadTo = (_scan, filename) => `named/${filename}`;
    }
    assert.equal(readFileSync(secret, "utf8"), SECRET);
    assert.deepEqual(readdirSync(dirname(root)).sort(), ["files", "secret.txt"]);
  });

  it("does not go through a linked folder, nor one for incomplete uploads: 500, and nothing outside is written", async () => {
    mkdirSync(join(dirname(root), "other"));
    symlinkSync(join(dirname(root), "other"), join(root, "named"));
    assert.equal((await post("named", "a.pdf")).status, 500);
    await rm(join(root, "named"));
    await rm(join(root, ".incomplete"), { recursive: true, force: true });
    symlinkSync(join(dirname(root), "other"), join(root, ".incomplete"));
    assert.equal((await post("named", "a.pdf")).status, 500);
    assert.deepEqual(readdirSync(join(dirname(root), "other")), []);
  });
});

/** Puts a file where a front end, an older application or an intruder would, and gives its key back. */
function place(key: string, content: string): string {
  mkdirSync(dirname(join(root, key)), { recursive: true });
  writeFileSync(join(root, key), content);
  return key;
}

/** The URL of a new row that names this key. */
async function urlOf(key: string): Promise<string> {
  const { dataSource, files } = application;
  const scan = dataSource.manager.create(Scan, { file: adoptedFile(dataSource, Scan, "file", key) });
  await dataSource.manager.save(scan);
  return files.url(scan, "file");
}

/** For every kind of request, without waiting for another process. */
async function isNotFound(key: string): Promise<void> {
  const url = await urlOf(key);
  const answers = await Promise.all([
    application.get(url),
    application.get(url, { method: "HEAD" }),
    application.get(url, { headers: { Range: "bytes=0-3" } }),
    application.get(url, { headers: { "If-None-Match": "*" } }),
  ]);
  for (const { status, headers, body } of answers) {
    assert.deepEqual([status, headers.etag], [404, undefined], key);
    assert.ok(body.length === 0 || body.toString() === "Not Found", key);
  }
  if (!onLinux) assert.deepEqual(await descriptorsUnder(root), []);
}

/** Every file of the storage, but for what is incomplete. */
function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}${sep}${entry.name}`);
}

/** Takes JSON, which can say any name, as the body of a POST to a column's name. */
function addUpload(app: Koa): void {
  app.use(async (ctx, next) => {
    if (ctx.method !== "POST") return next();
    const name: string = JSON.parse(await text(ctx.req));
    const { dataSource, files } = application;
    const scan = dataSource.manager.create(Scan, {});
    const column = ctx.path.slice(1) as "file" | "named";
    const { key } = await files.attach(scan, column, Buffer.from(`content of ${name}`), { filename: name });
    await dataSource.manager.save(scan);
    ctx.body = { key, url: files.url(scan, column) };
  });
}

function post(column: string, name: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${application.port}/${column}`, { method: "POST", body: JSON.stringify(name) });
}

async function upload(column: string, name: string): Promise<{ key: string; url: string }> {
  const answer = await post(column, name);
  assert.equal(answer.status, 200, name);
  return (await answer.json()) as { key: string; url: string };
}
