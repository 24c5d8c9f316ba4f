import assert from "node:assert/strict";
import { closeSync, fstatSync, openSync, writeFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { Descriptor } from "../../../src/storage/disk/descriptor.js";
import { keepsInodesInMemory } from "../../../src/storage/disk/inode-memory.js";
import { DiskFixture } from "../../support/storage-disk.js";

describe("Descriptor", () => {
  const disk = DiskFixture.beforeEach();

  function opened(t: TestContext): { descriptor: Descriptor; closed: () => number } {
    writeFileSync(disk.path("a"), "0123456789");
    const fd = openSync(disk.path("a"), "r");
    const letGo = t.mock.fn(() => closeSync(fd));
    return { descriptor: new Descriptor(fd, letGo), closed: () => letGo.mock.callCount() };
  }

  it("reads where it is asked to, into a part of a buffer", async (t) => {
    const { descriptor } = opened(t);
    const buffer = Buffer.from("abcdef");
    assert.equal(await descriptor.read(buffer, 1, 3, 6), 3);
    assert.equal(buffer.toString(), "a678ef");
    assert.equal(await descriptor.read(buffer, 0, 6, 8), 2);
    await descriptor.close();
  });

  it("is closed once, and only when all that is being read is read", async (t) => {
    const { descriptor, closed } = opened(t);
    const reads = Array.from({ length: 20 }, () => descriptor.read(Buffer.alloc(10), 0, 10, 0));
    const closings = [descriptor.close(), descriptor.close()];
    assert.equal(closed(), 0);
    assert.deepEqual(await Promise.all(reads), Array(20).fill(10));
    await Promise.all(closings);
    await descriptor.close();
    assert.equal(closed(), 1);
  });

  it("is not read any more once it is to be closed: another file may have its number", async (t) => {
    const { descriptor } = opened(t);
    const reading = descriptor.read(Buffer.alloc(10), 0, 10, 0);
    const closing = descriptor.close();
    await assert.rejects(descriptor.read(Buffer.alloc(10), 0, 10, 0), { code: "EBADF" });
    await Promise.all([reading, closing]);
    await assert.rejects(descriptor.read(Buffer.alloc(10), 0, 10, 0), { code: "EBADF" });
  });

  it("passes on what the file system says, and is closed all the same", async () => {
    writeFileSync(disk.path("a"), "");
    const fd = openSync(disk.path("a"), "w");
    const descriptor = new Descriptor(fd, () => closeSync(fd));
    await assert.rejects(descriptor.read(Buffer.alloc(10), 0, 10, 0), { code: "EBADF", syscall: "read" });
    await descriptor.close();
    assert.throws(() => fstatSync(fd), { code: "EBADF" });
  });
});

describe("keepsInodesInMemory", () => {
  it("counts on it for file systems of this machine's disks, and for no other nor where there is none", () => {
    assert.equal(keepsInodesInMemory("/nowhere/at/all"), false);
    if (process.platform === "linux") assert.equal(keepsInodesInMemory("/proc"), false);
    else assert.equal(keepsInodesInMemory("/"), false);
  });

  it("counts on it for memory", { skip: process.platform !== "linux" && "only Linux has /dev/shm" }, () => {
    assert.equal(keepsInodesInMemory("/dev/shm"), true);
  });
});
