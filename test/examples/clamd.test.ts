import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { clamd, VirusScan } from "../../docs/examples/clamd/clamd.js";
import { type Archive, openArchive } from "../support/archive.js";
import { sqljs } from "../support/databases.js";
import { freePort } from "../support/free-port.js";
import { needs } from "../support/requirements.js";
import { startClamd } from "../support/servers/clamd.js";
import type { Server } from "../support/servers/server.js";
import { after, before, describe, it } from "../support/suite.js";

const VIRUS = "a harmless text that the signature describes";

@Entity()
class Attachment {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn() file!: PrivateFile;
}

describe("The example of a virus scan", { skip: needs("clamd") }, () => {
  let archive: Archive;
  let server: Server;
  before(async () => {
    server = await startClamd({ name: "Our.Test", text: VIRUS });
    archive = await openArchive(sqljs, { entities: [Attachment], subscribers: [VirusScan] });
    clamd.port = server.port;
  });
  after(async () => {
    await archive?.close();
    await server?.stop();
  });

  async function attach(bytes: Buffer, signal?: AbortSignal): Promise<string[]> {
    const before = await archive.keys();
    await archive.files.attach(new Attachment(), "file", bytes, { signal });
    return (await archive.keys()).filter((key) => !before.includes(key));
  }

  async function assertRefused(bytes: Buffer, how: object): Promise<void> {
    const before = await archive.keys();
    await assert.rejects(attach(bytes), how);
    assert.deepEqual(await archive.keys(), before);
  }

  it("lets through what clamd finds nothing in, of any size that it takes", async () => {
    for (const size of [0, 1, 70_000, 5_000_000]) assert.equal((await attach(randomBytes(size))).length, 1);
  });

  it("refuses what clamd finds a virus in, wherever it is, and keeps nothing", async () => {
    for (const length of [0, 65_530, 1_000_000]) {
      const infected = Buffer.concat([Buffer.alloc(length, "x"), Buffer.from(VIRUS), Buffer.alloc(length, "x")]);
      await assertRefused(infected, { reason: "type", status: 415, message: /contains Our\.Test\.UNOFFICIAL/ });
    }
  });

  it("refuses what clamd does not look at, and everything while it is down", async (t) => {
    await assertRefused(Buffer.alloc(11 * 2 ** 20), Error);
    const { port } = clamd;
    t.after(() => {
      clamd.port = port;
    });
    clamd.port = await freePort();
    await assertRefused(Buffer.from("x"), { code: "ECONNREFUSED" });
  });
});
