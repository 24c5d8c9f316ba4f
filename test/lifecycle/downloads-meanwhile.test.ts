import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { koaSendDelivery, streamDelivery } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { eventually } from "../support/eventually.js";
import { Report } from "../support/report.js";
import { all, takesLong } from "../support/requirements.js";
import { after, before, describe, it } from "../support/suite.js";

const size = 8 * 1024 * 1024;
const count = all ? 100 : 5;

for (const [name, delivery] of Object.entries({ streamDelivery, koaSendDelivery })) {
  describe(`${count} slow downloads with ${name}`, { skip: delivery !== streamDelivery && takesLong }, () => {
    let application: Application;
    before(async () => {
      application = await startApplication({ entities: [Report], options: { delivery: delivery() } });
    });
    after(() => application.close());

    for (const what of ["replaced", "removed"] as const) {
      it(`end with the bytes that they began with when the file is ${what} meanwhile`, async () => {
        const { manager } = application.dataSource;
        const [old, replacement] = [randomBytes(size), randomBytes(size)];
        const report = manager.create(Report, {});
        await application.files.attach(report, "file", old, { filename: "report.pdf" });
        await manager.save(report);
        const { key } = report.file;
        const path = application.files.url(report, "file");
        const downloads = await Promise.all(Array.from({ length: count }, () => begin(application.port, path)));
        if (what === "replaced") {
          await application.files.attach(report, "file", replacement, { filename: "report.pdf" });
          await manager.save(report);
        } else {
          await manager.remove(report);
        }
        assert.equal(await application.storage.stat(key), undefined);
        const expected = createHash("sha256").update(old).digest("hex");
        // Those who went on reading got no more than a first part before the file was gone.
        assert.ok(downloads.every((download) => download.readableLength < size / 4));
        assert.deepEqual(new Set(await Promise.all(downloads.map(sha256))), new Set([expected]));
        const next = await application.get(path, { as: "anybody" });
        assert.equal(next.status, what === "replaced" ? 200 : 404);
        if (what === "replaced") assert.ok(next.body.equals(replacement));
      });
    }
  });
}

/** Asks for a file, and reads nothing of it yet. */
async function begin(port: number, path: string): Promise<IncomingMessage> {
  const outgoing = request({ host: "127.0.0.1", port, path, agent: false, headers: { "x-user": "anybody" } });
  outgoing.end();
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  assert.equal(incoming.statusCode, 200);
  await eventually(async () => assert.ok(incoming.readableLength > 0));
  return incoming;
}

async function sha256(incoming: IncomingMessage): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of incoming) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
