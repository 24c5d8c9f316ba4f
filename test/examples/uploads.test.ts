import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchRecording, importRecording, Recording, uploadRoutes } from "../../docs/examples/uploads/routes.js";
import { type Application, startApplication } from "../support/application.js";
import { after, before, describe, it } from "../support/suite.js";

const BYTES = randomBytes(900_000);
const digest = (bytes: Buffer) => `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`;

describe("The example of uploads without a parser", () => {
  let application: Application;
  let temporary: string;
  let systems: string | undefined;
  before(async () => {
    application = await startApplication({
      entities: [Recording],
      before(app) {
        app.silent = true;
        app.use((ctx, next) => uploadRoutes(application.files, recordings()).routes()(ctx as never, next));
      },
    });
    // What anything here wrote into the system's folder for temporary files would be seen.
    temporary = await mkdtemp(join(tmpdir(), "private-files-"));
    systems = process.env.TMPDIR;
    process.env.TMPDIR = temporary;
  });
  after(async () => {
    if (systems === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = systems;
    await application.close();
    await rm(temporary, { recursive: true });
  });

  const recordings = () => application.dataSource.getRepository(Recording);

  function send(
    method: string,
    path: string,
    body: Buffer | FormData | ReadableStream,
    headers: Record<string, string> = {},
  ) {
    const init = { method, body, headers, duplex: "half" };
    return fetch(`http://127.0.0.1:${application.port}${path}`, init as RequestInit);
  }

  /** The recording that was saved last has these bytes and this name, and no other file is anywhere. */
  async function assertKept(name: string, bytes = BYTES): Promise<void> {
    const [recording] = await recordings().find({ order: { id: "DESC" }, take: 1 });
    assert.equal(recording!.name, name);
    assert.ok((await readFile(application.storage.path(recording!.file.key))).equals(bytes));
    await recordings().remove(recording!);
    await assertNothing();
  }

  async function assertNothing(): Promise<void> {
    for await (const { key } of application.storage.list("")) assert.fail(`${key} is left`);
    assert.deepEqual(await readdir(temporary), []);
    assert.equal(await recordings().count(), 0);
  }

  it("takes the body of a PUT, and holds it against its digest", async () => {
    for (const headers of [{}, { "Content-Digest": digest(BYTES) }, { "Repr-Digest": `x=:eA==:, ${digest(BYTES)}` }]) {
      const answer = await send("PUT", "/recordings/M%C3%BCller%20%231.webm", BYTES, headers as Record<string, string>);
      assert.equal(answer.status, 201);
      await assertKept("Müller #1.webm");
    }
    assert.equal(
      (await send("PUT", "/recordings/a.webm", BYTES, { "Content-Digest": digest(Buffer.alloc(1)) })).status,
      422,
    );
    assert.equal((await send("PUT", "/recordings/a.webm", BYTES, { "Content-Digest": "sha-256=:eA==:" })).status, 400);
    await assertNothing();
  });

  it("takes a File of a form that the platform parsed, and answers a wrong form with 400 or 413", async () => {
    const form = new FormData();
    form.append("file", new File([BYTES], "Müller.webm"));
    assert.equal((await send("POST", "/recordings", form)).status, 201);
    await assertKept("Müller.webm");
    const text = new FormData();
    text.append("file", "/etc/passwd");
    const large = new FormData();
    large.append("file", new File([Buffer.alloc(1_000_001)], "a.webm"));
    const headers = { "Content-Type": "multipart/form-data; boundary=x" };
    assert.equal((await send("POST", "/recordings", text)).status, 400);
    assert.equal((await send("POST", "/recordings", new FormData())).status, 400);
    assert.equal((await send("POST", "/recordings", Buffer.from("no form"), headers)).status, 400);
    assert.equal((await send("POST", "/recordings", large)).status, 413);
    assert.equal((await send("POST", "/recordings", new Blob([BYTES]).stream(), headers)).status, 413);
    await assertNothing();
  });

  it("takes a file of this machine, which stays", async () => {
    const folder = await mkdtemp(join(application.storage.root, "..", "import-"));
    await writeFile(join(folder, "Müller.webm"), BYTES);
    await importRecording(application.files, recordings(), join(folder, "Müller.webm"));
    assert.deepEqual(await readdir(folder), ["Müller.webm"]);
    await assertKept("Müller.webm");
  });

  it("takes a file of another server, and nothing of one that fails in the middle", async (t) => {
    const server = createServer((request, response) => {
      response.writeHead(request.url === "/none" ? 404 : 200, { "Content-Length": BYTES.length });
      if (request.url === "/half.webm") response.write(BYTES.subarray(0, 100_000), () => response.destroy());
      else response.end(BYTES);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close().closeAllConnections());
    const fetchFrom = (path: string) => {
      const url = new URL(path, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      return fetchRecording(application.files, recordings(), url);
    };
    await fetchFrom("/whole.webm");
    await assertKept("whole.webm");
    await assert.rejects(fetchFrom("/half.webm"), { reason: "failed" });
    await assert.rejects(fetchFrom("/none"), /404/);
    await assertNothing();
  });
});
