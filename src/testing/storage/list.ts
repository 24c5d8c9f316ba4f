import assert from "node:assert/strict";
import { it, keys, put, type Subject } from "./subject.js";

/** Lists objects by the beginnings of their keys. */
export function describeList(subject: Subject): void {
  it("gives all keys with their sizes and times", async () => {
    await put(subject(), "a", "1");
    await put(subject(), "b/c", "22");
    const listed = [];
    for await (const object of subject().list("")) listed.push(object);
    listed.sort((one, other) => (one.key < other.key ? -1 : 1));
    const [a, c] = [await subject().stat("a"), await subject().stat("b/c")];
    assert.deepEqual(
      listed.map(({ key, size, modifiedAt }) => ({ key, size, modifiedAt })),
      [
        { key: "a", size: 1, modifiedAt: a?.modifiedAt },
        { key: "b/c", size: 2, modifiedAt: c?.modifiedAt },
      ],
    );
  });

  const all = ["up", "uploads/2026/a", "uploads/2026/b", "uploads/2027/a", "uploads-old/a", "x/..y"];
  const prefixes: [string, string[]][] = [
    ["", all],
    ["up", all.slice(0, 5)],
    ["uploads", all.slice(1, 5)],
    ["uploads/", all.slice(1, 4)],
    ["uploads/202", all.slice(1, 4)],
    ["uploads/2026", all.slice(1, 3)],
    ["uploads/2026/", all.slice(1, 3)],
    ["uploads/2026/a", all.slice(1, 2)],
    ["uploads/2026/a/", []],
    ["nothing", []],
    ["x/..", ["x/..y"]],
    ["*", []],
  ];
  for (const [prefix, expected] of prefixes) {
    it(`gives the keys that start with "${prefix}"`, async () => {
      await Promise.all(all.map((key) => put(subject(), key, key)));
      assert.deepEqual(await keys(subject(), prefix), [...expected].sort());
    });
  }

  it("can be left early, and lists every object while objects are deleted", async () => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => put(subject(), `many/${n}`, "bytes")));
    for await (const _ of subject().list("many/")) break;
    let seen = 0;
    for await (const { key } of subject().list("many/")) {
      seen++;
      await subject().delete(key);
    }
    assert.equal(seen, 100);
    assert.deepEqual(await keys(subject()), []);
  });
}
