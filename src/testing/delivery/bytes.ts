import assert from "node:assert/strict";
import { it } from "node:test";
import { filmOf } from "../fixture/film.js";
import type { Subject } from "./subject.js";

/** Files of many sizes, whole and in part. */
export function describeBytes({ withFilm }: Subject): void {
  for (const size of [0, 1, 32_768, 65_535, 65_536, 65_537, 262_145, 327_680, 5_000_000]) {
    it(`are those of a file of ${size} bytes, whole, in part and in several parts`, async (t) => {
      const bytes = filmOf(size);
      const { application, url } = await withFilm(t, { content: bytes });
      const whole = await application.get(url);
      assert.deepEqual([whole.status, whole.headers["content-length"]], [200, String(size)]);
      assert.ok(whole.body.equals(bytes));
      if (size < 100) return;
      const part = await application.get(url, { headers: { Range: `bytes=100-${size - 2}` } });
      assert.equal(part.status, 206);
      assert.ok(part.body.equals(bytes.subarray(100, size - 1)));
      const parts = await application.get(url, { headers: { Range: `bytes=0-9,20-${size - 20},-5` } });
      assert.deepEqual([parts.status, parts.headers["content-length"]], [206, String(parts.body.length)]);
      for (const [start, end] of [
        [0, 10],
        [20, size - 19],
        [size - 5, size],
      ] as const) {
        const header = Buffer.from(`Content-Range: bytes ${start}-${end - 1}/${size}\r\n\r\n`);
        const at = parts.body.indexOf(header) + header.length;
        assert.ok(parts.body.subarray(at, at + end - start).equals(bytes.subarray(start, end)));
      }
      assert.deepEqual(application.errors, []);
    });
  }

  it("come with the headers of the answer to HEAD, and with no others", async (t) => {
    const { application, url } = await withFilm(t);
    const head = await application.get(url, { method: "HEAD" });
    const whole = await application.get(url);
    assert.deepEqual({ ...whole.headers, date: "" }, { ...head.headers, date: "" });
  });

  it("are not opened for a HEAD", async (t) => {
    const { application, url } = await withFilm(t);
    application.storage.open = () => assert.fail("the file was opened");
    assert.equal((await application.get(url, { method: "HEAD" })).status, 200);
  });
}
