import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { InvalidKeyError } from "../../errors.js";
import type { Storage } from "../../storage/storage.js";
import { UploadError } from "../../storage/upload-error.js";
import { bodyOf, it, keys, put, type Subject } from "./subject.js";

/** Writes bodies that fail, stall, or have another length than announced. */
export function describeFailingBodies(subject: Subject): void {
  async function refuses(body: Readable, options?: Parameters<Storage["put"]>[2], cause?: unknown): Promise<void> {
    await assert.rejects(subject().put("folder/failed", body, options), (error) => {
      assert.ok(error instanceof UploadError, String(error));
      if (cause !== undefined) assert.equal(error.cause, cause);
      return true;
    });
    assert.ok(body.destroyed, "the body is destroyed");
    assert.equal(await subject().stat("folder/failed"), undefined);
    assert.deepEqual(await keys(subject()), []);
    await put(subject(), "folder/failed", "now it works");
  }

  it("keeps nothing when the body fails", async () => {
    const failure = new Error("connection reset");
    await refuses(Readable.from(bytesThenError(failure)), {}, failure);
  });

  it("keeps nothing when the body fails before its first byte is read", async () => {
    const failure = new Error("connection reset");
    const body = new PassThrough();
    queueMicrotask(() => body.destroy(failure));
    await refuses(body, {}, failure);
  });

  it("keeps nothing when the body is closed before its end", async () => {
    const body = new PassThrough();
    body.write("half");
    setTimeout(() => body.destroy(), 20);
    await refuses(body);
  });

  it("keeps nothing when the body is shorter than announced", () => refuses(bodyOf("four"), { size: 5 }));

  it("keeps nothing when the body is longer than announced", () => refuses(bodyOf("four"), { size: 3 }));

  it("keeps nothing when bytes come and none were announced", () => refuses(bodyOf("four"), { size: 0 }));

  it("stops reading a body that does not end at the announced size", async () => {
    let given = 0;
    const body = new Readable({
      read() {
        given += 64 * 1024;
        // A storage that reads everything fails by its own answer, before the memory is full.
        this.push(given > 64 * 1024 * 1024 ? null : Buffer.alloc(64 * 1024));
      },
    });
    await refuses(body, { size: 1024 * 1024 });
    assert.ok(given < 4 * 1024 * 1024, `${given} bytes were read`);
  });

  it("keeps nothing of an upload that is aborted while its body stalls", async () => {
    const body = new PassThrough();
    body.write("half");
    const reason = new Error("the user left");
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 20);
    await refuses(body, { signal: controller.signal }, reason);
  });

  it("keeps nothing of an upload that was aborted before it began", async () => {
    const reason = new Error("too late");
    await refuses(bodyOf("bytes"), { signal: AbortSignal.abort(reason) }, reason);
  });

  it("keeps nothing of a body of text or objects", async () => {
    await refuses(Readable.from(["text"]));
    await subject().delete("folder/failed");
    await refuses(Readable.from([{ length: 3 }]));
  });

  it("keeps nothing of a body that was read, was destroyed or failed before", async () => {
    const read = bodyOf("bytes");
    await buffer(read);
    await refuses(read);
    await subject().delete("folder/failed");
    await refuses(bodyOf("bytes").destroy());
    await subject().delete("folder/failed");
    const failed = bodyOf("bytes");
    failed.once("error", () => {});
    await refuses(failed.destroy(new Error("earlier")));
  });

  it("lets a body fail after it was refused without ending the process", async () => {
    await put(subject(), "taken", "bytes");
    const body = new PassThrough();
    const putting = subject().put("../taken", body);
    body.emit("error", new Error("late"));
    await assert.rejects(putting, InvalidKeyError);
    body.emit("error", new Error("later"));
    assert.ok(body.destroyed);
  });
}

async function* bytesThenError(error: Error): AsyncGenerator<Buffer> {
  yield Buffer.from("half");
  throw error;
}
