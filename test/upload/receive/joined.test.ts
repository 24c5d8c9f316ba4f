import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { joined } from "../../../src/upload/receive/joined.js";
import { memoryInUse } from "../../support/garbage.js";
import { takesLong } from "../../support/requirements.js";
import { describe, it } from "../../support/suite.js";
import { form, text } from "../form/form-body.js";
import { statusOf } from "./raw-form.js";
import { startReceiveSite } from "./receive-site.js";

const pieces = (...sizes: number[]) => sizes.map((size, index) => Buffer.alloc(size, index));

async function sizesOf(stream: Iterable<Buffer>): Promise<number[]> {
  const all: Buffer[] = [];
  for await (const piece of joined(Readable.from(stream, { objectMode: false }))) all.push(piece);
  assert.ok(Buffer.concat(all).equals(Buffer.concat([...stream])));
  return all.map(({ length }) => length);
}

describe("joined", () => {
  it("hands on small pieces together, and large ones as they are", async () => {
    assert.deepEqual(await sizesOf([]), []);
    assert.deepEqual(await sizesOf(pieces(1, 2, 3)), [6]);
    assert.deepEqual(await sizesOf(pieces(65_536, 1024, 1, 1022, 1, 5000, 7)), [65_536, 1024, 1024, 5000, 7]);
    assert.deepEqual(await sizesOf(pieces(...Array<number>(3000).fill(1))), [1024, 1024, 952]);
  });
});

describe("A text that comes a byte at a time", () => {
  it("takes little more memory than its bytes", { skip: takesLong }, async () => {
    const site = await startReceiveSite();
    site.handle = (ctx) => site.files.receive(ctx, {});
    const request = { body: form(text("text", "x".repeat(250_000))), chunks: 1 };
    const atRest = memoryInUse();
    let most = atRest;
    const watch = setInterval(() => {
      most = Math.max(most, memoryInUse());
    }, 500);
    assert.equal(await statusOf(site.port, "/", request, 60_000), 201);
    clearInterval(watch);
    await site.close();
    assert.ok(most - atRest < 15e6, `${most - atRest} bytes more`);
  });
});
