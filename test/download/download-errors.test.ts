import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DownloadError, PrivateFileError } from "typeorm-private-files";
import { failed, isMissing, notFound, unavailable } from "../../src/download/download-errors.js";
import { REFUSAL_HEADERS } from "../../src/download/headers.js";

const withProperties = (properties: object, message = "secret") => Object.assign(new Error(message), properties);

describe("failed", () => {
  it("hands back what is an answer already", () => {
    const answer = notFound();
    assert.equal(failed("Sending", answer), answer);
  });

  for (const [status, wanted] of [
    [undefined, 500],
    ["404", 500],
    [302, 500],
    [399, 500],
    [400, 400],
    [499, 499],
    [500, 500],
    [599, 599],
    [600, 500],
    [Number.NaN, 500],
  ]) {
    it(`answers ${wanted} where an error's status is ${status}, and 500 where that counts for nothing`, () => {
      const cause = withProperties({ status });
      for (const honoured of ["status", "message"] as const) {
        const error = failed("Sending", cause, honoured);
        assert.deepEqual([error.status, error.expose, error.cause], [wanted, false, cause]);
        assert.equal(error.message, "Sending failed. See the cause.");
      }
      assert.equal(failed("Sending", cause).status, 500);
    });
  }

  it("shows a message only where messages count, the error says expose, and it is not 500", () => {
    const message = ({ status = 429, expose = true as unknown } = {}, honoured?: "status" | "message") => {
      const error = failed("Sending", withProperties({ status, expose }), honoured);
      assert.equal(error.expose, error.message === "secret");
      return error.message;
    };
    const none = "Sending failed. See the cause.";
    assert.equal(message({}, "message"), "secret");
    assert.equal(message({}, "status"), none);
    assert.equal(message({}), none);
    assert.equal(message({ expose: 1 }, "message"), none);
    assert.equal(message({ status: 500 }, "message"), none);
    assert.equal(failed("Sending", { status: 429, expose: true }, "message").message, "");
  });

  it("takes an error's headers with its status, but none of ours from it", () => {
    const cause = withProperties({ status: 429, headers: { "Retry-After": "9", "Cache-Control": "public" } });
    assert.deepEqual(failed("Sending", cause, "status").headers, { "Retry-After": "9", ...REFUSAL_HEADERS });
    assert.deepEqual(failed("Sending", cause).headers, { ...REFUSAL_HEADERS });
  });

  for (const cause of [undefined, null, "a text", 0]) {
    it(`answers 500 to what is no error: ${cause}`, () => {
      const error = failed("Sending", cause, "message");
      assert.deepEqual([error.status, error.cause, error.message], [500, cause, "Sending failed. See the cause."]);
    });
  }

  for (const cause of [
    withProperties({ code: "EMFILE" }),
    withProperties({ code: "ENFILE", status: 500 }),
    withProperties({ cause: withProperties({ cause: { code: "ENFILE" } }) }),
  ]) {
    it(`answers 503 with Retry-After where no descriptor is free: ${cause}`, () => {
      const error = failed("Sending", cause, "status");
      assert.deepEqual([error.status, error.cause], [503, cause]);
      assert.deepEqual(error.headers, { ...REFUSAL_HEADERS, "Retry-After": "5" });
    });
  }

  it("finds no descriptor missing where a cause is null", () => {
    assert.equal(failed("Sending", withProperties({ cause: null })).status, 500);
  });
});

describe("a refusal", () => {
  it("keeps its cause for the log", () => {
    const cause = new Error("gone");
    for (const refusal of [notFound(cause), unavailable("Too slow.", cause)]) {
      assert.ok(refusal instanceof DownloadError);
      assert.equal(refusal.cause, cause);
    }
  });
});

describe("isMissing", () => {
  it("is true for the error of a file that is gone, and for nothing that looks like it", () => {
    const code = "ERR_PRIVATE_FILE_MISSING";
    assert.equal(isMissing(new PrivateFileError(code, "gone")), true);
    assert.equal(isMissing(new PrivateFileError("ERR_PRIVATE_FILE_STORAGE", "the disk is dead")), false);
    for (const error of [withProperties({ code }), { code }, code, undefined]) assert.equal(isMissing(error), false);
  });
});
