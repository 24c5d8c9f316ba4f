import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decidingFields } from "../../src/http/request-fields.js";

const DATE = "Wed, 25 Jun 2014 17:12:18 GMT";

describe("decidingFields", () => {
  it("has the conditions and the Range of a request, and nothing else", () => {
    const headers = { "if-modified-since": DATE, range: "bytes=0-4", host: "x", accept: "*/*" };
    const rawHeaders = ["Host", "x", "If-Modified-Since", DATE, "Range", "bytes=0-4", "Accept", "*/*"];
    assert.deepEqual(decidingFields({ headers, rawHeaders }), { "if-modified-since": DATE, range: "bytes=0-4" });
  });

  it("joins the lines of a field, of which headers may have the first alone", () => {
    for (const name of ["if-match", "if-unmodified-since", "if-none-match", "if-modified-since", "range", "if-range"]) {
      const rawHeaders = [name.toUpperCase(), "a", "X-Other", "b", name, "c", name, ""];
      assert.deepEqual(decidingFields({ headers: { [name]: "a" }, rawHeaders }), { [name]: "a, c, " });
    }
  });

  it("does not take a value for a name", () => {
    const rawHeaders = ["Range", "bytes=0-4", "X-Name", "range", "range", "bytes=5-6"];
    assert.deepEqual(decidingFields({ headers: { range: "bytes=0-4" }, rawHeaders }), {
      range: "bytes=0-4, bytes=5-6",
    });
  });

  it("goes by headers where middleware has changed a field of one line there, or has taken it out", () => {
    const rawHeaders = ["Range", "bytes=0-4", "If-Match", "*"];
    assert.deepEqual(decidingFields({ headers: { range: "bytes=0-9" }, rawHeaders }), { range: "bytes=0-9" });
    assert.deepEqual(decidingFields({ headers: { "if-range": "x" }, rawHeaders: [] }), { "if-range": "x" });
  });

  it("does not read rawHeaders where none of the fields is there", () => {
    const request = {
      headers: { host: "x" },
      get rawHeaders(): string[] {
        throw new Error("rawHeaders was read.");
      },
    };
    assert.deepEqual(decidingFields(request), {});
  });
});
