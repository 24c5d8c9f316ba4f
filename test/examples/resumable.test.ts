import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Server } from "@tus/server";
import { Upload as Client, type UploadOptions } from "tus-js-client";
import { IsNull, Not } from "typeorm";
import { Recording } from "../../docs/examples/resumable/recording.js";
import { resumableUploads } from "../../docs/examples/resumable/routes.js";
import { type Application, startApplication } from "../support/application.js";
import { eventually } from "../support/eventually.js";
import { after, afterEach, before, describe, it } from "../support/suite.js";

/** The beginning of a WebM film, and noise. */
const FILM = Buffer.concat([
  Buffer.from("1a45dfa39f4286810142f7810142f2810442f381084282847765626d", "hex"),
  randomBytes(5_000_000),
]);

describe("The example of resumable uploads", () => {
  let application: Application;
  let tus: Server;
  const incoming = mkdtempSync(join(tmpdir(), "private-files-resumable-"));
  before(async () => {
    application = await startApplication({
      entities: [Recording],
      options: { retryFor: 0.1 },
      before(app) {
        app.silent = true;
        app.use((ctx, next) => resumable.router.routes()(ctx as never, next));
      },
    });
    const resumable = resumableUploads(application.files, incoming);
    tus = resumable.tus;
  });
  after(async () => {
    await application?.close();
    await rm(incoming, { recursive: true });
  });
  afterEach(async () => {
    await application.files.remove(Recording, { id: Not(IsNull()) });
    for (const name of await readdir(incoming)) await rm(join(incoming, name));
    await eventually(async () => assert.equal(await stored(), 0));
  });

  const recordings = () => application.dataSource.getRepository(Recording);

  function upload(port: number, content: Buffer, options: UploadOptions = {}): Promise<Client> {
    return new Promise((resolve, reject) => {
      const client: Client = new Client(content as never, {
        endpoint: `http://127.0.0.1:${port}/uploads`,
        headers: { "x-user": "alice" },
        metadata: { filename: "Vortrag 日.webm", owner: "eve" },
        retryDelays: Array(20).fill(10),
        onSuccess: () => resolve(client),
        onError: reject,
        ...options,
      });
      client.start();
    });
  }

  function ask(method: string, path: string, headers: Record<string, string>, body?: Buffer): Promise<Response> {
    const all = { "Tus-Resumable": "1.0.0", ...headers };
    return fetch(`http://127.0.0.1:${application.port}${path}`, { method, headers: all, body });
  }

  async function create(length: number, headers: Record<string, string> = {}): Promise<string> {
    const metadata = `filename ${Buffer.from("a.webm").toString("base64")}`;
    const all = { "x-user": "alice", "Upload-Length": String(length), "Upload-Metadata": metadata, ...headers };
    const response = await ask("POST", "/uploads", all);
    assert.equal(response.status, 201);
    return response.headers.get("location")!;
  }

  const patch = (url: string, offset: number, body: Buffer, as = "alice") =>
    ask(
      "PATCH",
      url,
      { "x-user": as, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
      body,
    );

  async function stored(): Promise<number> {
    let count = 0;
    for await (const _ of application.storage.list("")) count++;
    return count;
  }

  it("ends up with every byte after its connection was cut ten times, with its name, for its owner alone", async () => {
    const proxy = await startProxy(application.port, 10, 400_000);
    await upload(proxy.port, FILM);
    assert.equal(proxy.cut(), 10);
    proxy.close();
    const [recording, ...others] = await recordings().find();
    assert.deepEqual([recording!.owner, recording!.size, others.length], ["alice", FILM.length, 0]);
    const url = application.files.url(recording!, "file");
    const { status, body, headers } = await application.get(url, { as: "alice" });
    assert.equal(status, 200);
    assert.ok(body.equals(FILM));
    assert.match(headers["content-disposition"]!, /Vortrag_%E6%97%A5\.webm|Vortrag_日\.webm/);
    for (const as of ["eve", undefined]) assert.equal((await application.get(url, { as })).status, 403);
    assert.deepEqual(await readdir(incoming), []);
  });

  it("belongs to whoever created it", async () => {
    const url = await create(10);
    const offset = { "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream" };
    for (const as of [{ "x-user": "eve" }, undefined]) {
      for (const method of ["HEAD", "PATCH", "DELETE"]) {
        const body = method === "PATCH" ? Buffer.from("x") : undefined;
        assert.equal((await ask(method, url, { ...offset, ...as }, body)).status, as ? 404 : 401, method);
      }
    }
    assert.equal((await ask("POST", "/uploads", { "Upload-Length": "10" })).status, 401);
    // tus itself would send the bytes.
    assert.equal((await ask("GET", url, { "x-user": "alice" })).status, 404);
    const override = { "x-user": "eve", "X-HTTP-Method-Override": "DELETE", "Upload-Length": "1" };
    await ask("POST", url, override);
    assert.equal((await ask("HEAD", url, { "x-user": "alice" })).status, 200);
    for (const id of ["..%2F..%2Fetc%2Fpasswd", "%00", ".", "x".repeat(3000), "%E0%A4%A"]) {
      const { status } = await ask("HEAD", `/uploads/${id}`, { "x-user": "alice" });
      assert.ok(status >= 400 && status < 500, `${status} for ${id}`);
    }
    assert.equal((await ask("DELETE", url, { "x-user": "alice" })).status, 204);
    assert.deepEqual(await readdir(incoming), []);
  });

  it("is refused when it is too large, or of another type, and leaves nothing", async () => {
    assert.equal((await ask("POST", "/uploads", { "x-user": "alice", "Upload-Length": "2000000001" })).status, 413);
    const url = await create(12);
    const refused = await patch(url, 0, Buffer.from("<html></html"));
    assert.deepEqual([refused.status, await refused.text()], [415, ""]);
    assert.deepEqual([await readdir(incoming), await recordings().count(), await stored()], [[], 0, 0]);
  });

  it("makes one row, though its end is sent again, at once or later, and says that it is whole", async () => {
    const url = await create(FILM.length);
    const half = FILM.length >> 1;
    assert.equal((await patch(url, 0, FILM.subarray(0, half))).status, 204);
    const [first, ...again] = await Promise.all([
      patch(url, half, FILM.subarray(half)),
      ask("HEAD", url, { "x-user": "alice" }),
      ask("HEAD", url, { "x-user": "alice" }),
    ]);
    assert.equal(first.status, 204);
    assert.ok(first.headers.get("content-location"));
    for (const { status } of again) assert.equal(status, 200);
    const { status, headers } = await ask("HEAD", url, { "x-user": "alice" });
    assert.deepEqual([status, headers.get("upload-offset")], [200, String(FILM.length)]);
    assert.equal((await patch(url, FILM.length, Buffer.alloc(0))).status, 409);
    assert.equal((await ask("HEAD", url, { "x-user": "eve" })).status, 404);
    assert.deepEqual([await recordings().count(), await stored(), await readdir(incoming)], [1, 1, []]);
  });

  it("is finished by the next question when the database was down at its end", async () => {
    const { manager } = application.dataSource;
    const url = await create(FILM.length);
    const half = FILM.length >> 1;
    assert.equal((await patch(url, 0, FILM.subarray(0, half))).status, 204);
    await manager.query("CREATE TRIGGER full BEFORE INSERT ON recording BEGIN SELECT RAISE(FAIL, 'disk full'); END");
    const failed = await patch(url, half, FILM.subarray(half)).finally(() => manager.query("DROP TRIGGER full"));
    assert.equal(failed.status, 500);
    assert.equal(await recordings().count(), 0);
    assert.equal((await ask("HEAD", url, { "x-user": "alice" })).status, 200);
    assert.deepEqual([await recordings().count(), await readdir(incoming)], [1, []]);
  });

  it("is removed a day after it was begun, if it is not whole by then", async () => {
    const url = await create(10);
    const id = url.split("/").at(-1)!;
    assert.equal(await tus.cleanUpExpiredUploads(), 0);
    const info = join(incoming, `${id}.json`);
    const record = JSON.parse(await readFile(info, "utf8"));
    await writeFile(info, JSON.stringify({ ...record, creation_date: new Date(Date.now() - 25 * 3_600_000) }));
    assert.equal(await tus.cleanUpExpiredUploads(), 1);
    assert.deepEqual(await readdir(incoming), []);
    assert.equal((await ask("HEAD", url, { "x-user": "alice" })).status, 404);
  });
});

/** Starts a proxy that cuts the first connections after so many bytes from the client. */
async function startProxy(port: number, times: number, bytes: number) {
  let cut = 0;
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const socket of [client, upstream]) socket.on("error", () => {});
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    upstream.pipe(client);
    let count = 0;
    client.on("data", (chunk) => {
      count += chunk.length;
      upstream.write(chunk);
      if (count < bytes || cut === times) return;
      cut++;
      // What was written by now arrives.
      upstream.end();
      client.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, cut: () => cut, close: () => server.close() };
}
