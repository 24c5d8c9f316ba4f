import assert from "node:assert/strict";
import { InvalidKeyError } from "../../errors.js";
import type { Storage } from "../../storage/storage.js";
import { it, keys, put, type Subject, text } from "./subject.js";

/** Uses odd keys, and keys that could leave the storage. */
export function describeKeys(subject: Subject): void {
  it("treats odd keys as ordinary names, and keeps them apart", async () => {
    for (const key of ODD_KEYS) await put(subject(), key, `bytes of ${key}`);
    for (const key of ODD_KEYS) {
      assert.equal((await subject().stat(key))?.size, Buffer.byteLength(`bytes of ${key}`), key);
      assert.equal(await text(subject(), key), `bytes of ${key}`, key);
    }
    assert.deepEqual(await keys(subject()), [...ODD_KEYS].sort());
    for (const key of ODD_KEYS) await subject().delete(key);
    assert.deepEqual(await keys(subject()), []);
  });

  const methods: Record<string, (storage: Storage, key: string) => unknown> = {
    put: (storage, key) => put(storage, key, "bytes"),
    stat: (storage, key) => storage.stat(key),
    read: (storage, key) => storage.read(key),
    delete: (storage, key) => storage.delete(key),
    open: (storage, key) => storage.open?.(key),
    path: (storage, key) => storage.path?.(key),
  };
  for (const [method, call] of Object.entries(methods)) {
    it(`refuses keys that could leave the storage in ${method}`, async (t) => {
      if (!(method in subject())) return t.skip(`the storage has no ${method}()`);
      for (const key of REFUSED_KEYS) {
        await assert.rejects(async () => call(subject(), key as string), InvalidKeyError, JSON.stringify(key));
      }
      assert.deepEqual(await keys(subject()), []);
    });
  }

  it("refuses prefixes that could leave the storage in list", async () => {
    for (const prefix of ["../", "/", "/etc", "a/../", "a//", "./", "a\0", "C:\\", null, 7]) {
      await assert.rejects(keys(subject(), prefix as string), InvalidKeyError, JSON.stringify(prefix));
    }
  });
}

/** Keys that look like something else, and are ordinary names. */
const ODD_KEYS = [
  "100%.pdf",
  "%41.pdf",
  "a%00b",
  "docs/1/..%2f2%2fsecret.pdf",
  "%2e%2e/x",
  "%252e",
  "...",
  "..a/b..",
  ".env.pdf",
  ".d/x",
  "-rf",
  "~",
  "a b.pdf",
  " a ",
  "a'b\"c`d.pdf",
  "$(id) ;&|<>.pdf",
  "*",
  "[a].pdf",
  "{a,b}",
  "a?b#c=d&e",
  "ab:c",
  "Отчёт 報告 تقرير.pdf",
  "cafe\u0301.pdf",
  "👩‍👩‍👧.png",
  "NUL",
  "a".repeat(255),
  "€".repeat(85),
];

const REFUSED_KEYS: unknown[] = [
  "",
  ".",
  "..",
  "../x",
  "a/../x",
  "a/..",
  "./a",
  "a/./b",
  "/",
  // A storage that is wrong deletes what these tests ask it to delete: so none names a file that anybody needs.
  "/nowhere/at/all",
  "//x",
  "a//b",
  "a/",
  "C:\\x",
  "C:x",
  "a\\b",
  "..\\x",
  "a\0b",
  "a\nb",
  "a\u007fb",
  "a\ud800.pdf",
  "\udfff",
  "a".repeat(256),
  "€".repeat(86),
  `${"abc/".repeat(256)}d`,
  undefined,
  null,
  7,
  {},
  ["a"],
];
