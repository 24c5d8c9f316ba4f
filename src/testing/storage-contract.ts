import { afterEach, beforeEach, describe } from "node:test";
import type { Storage } from "../storage/storage.js";
import { describeCopy } from "./storage/copy.js";
import { describeDelete } from "./storage/delete.js";
import { describeFailingBodies } from "./storage/failing-bodies.js";
import { describeKeys } from "./storage/keys.js";
import { describeList } from "./storage/list.js";
import { describeOpen } from "./storage/open.js";
import { describePut } from "./storage/put.js";
import { describeRead } from "./storage/read.js";
import { describeStage } from "./storage/stage.js";
import { describeStat } from "./storage/stat.js";
import type { Subject } from "./storage/subject.js";

/** A storage to test, which is empty and used by this test alone. */
export interface StorageUnderTest {
  /** The storage. */
  storage: Storage;
  /** Removes the storage and everything in it. */
  close(): void | Promise<void>;
}

/**
 * Defines a test suite with all that a storage must do. Call it in a test file that `node --test` runs; a storage of your own
 * is right when all tests pass. The tests of `open`, `copy` and `path` are skipped where the storage has no such method. A
 * test fails if it takes more than 60 seconds.
 *
 * @param name what the report calls the storage.
 * @param open makes an empty storage. It is called before each test, and `close` of its result after the test.
 */
export function describeStorage(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(name, () => {
    let opened: StorageUnderTest;
    const subject: Subject = () => opened.storage;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());
    describe("put", () => describePut(subject));
    describe("stage", () => describeStage(subject));
    describe("put of a body that fails", () => describeFailingBodies(subject));
    describe("stat", () => describeStat(subject));
    describe("read", () => describeRead(subject));
    describe("open", () => describeOpen(subject));
    describe("copy", () => describeCopy(subject));
    describe("delete", () => describeDelete(subject));
    describe("list", () => describeList(subject));
    describe("keys", () => describeKeys(subject));
  });
}
