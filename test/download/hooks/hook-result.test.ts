import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DownloadError } from "typeorm-private-files";
import { eventually } from "../../support/eventually.js";
import { filmOf, withFilm } from "../../support/film.js";

type Hooks = Partial<Record<"beforeDownload" | "afterDownload" | "downloadDenied", () => unknown>>;

const warnings: (Error & { code?: string })[] = [];
const note = (warning: Error) => void (warning.name === "PrivateFileWarning" && warnings.push(warning));
const environment = process.env.NODE_ENV;

beforeEach(() => {
  warnings.length = 0;
  process.on("warning", note);
});
afterEach(() => {
  process.off("warning", note);
  if (environment === undefined) delete process.env.NODE_ENV;
  else process.env.NODE_ENV = environment;
});

describe("a beforeDownload that returns false", () => {
  for (const [how, hook] of [
    ["returns", () => false],
    ["resolves to", async () => false],
  ] as const) {
    it(`or ${how} it, fails the request with 500 and sends nothing of the file`, async (t) => {
      const { application, url } = await withHooks(t, { beforeDownload: hook });
      const { status, body, headers } = await application.get(url);
      assert.deepEqual([status, body.toString()], [500, "Internal Server Error"]);
      assert.equal(headers["content-disposition"], undefined);
      const [error] = application.errors;
      assert.ok(error instanceof DownloadError);
      assert.deepEqual(
        [error.code, error.message],
        [
          "ERR_PRIVATE_FILE_FAILED",
          "Quota.beforeDownload: returned false, which does not say why. Throw an error to refuse the download, such as ctx.throw(403), and return nothing.",
        ],
      );
    });
  }

  it("does so in production, too", async (t) => {
    process.env.NODE_ENV = "production";
    const { application, url } = await withHooks(t, { beforeDownload: () => false });
    assert.equal((await application.get(url)).status, 500);
  });
});

describe("a hook that returns a value", () => {
  for (const [kind, value] of [
    ["true", true],
    ["null", null],
    ["an object", { affected: 1 }],
    ["a number", 0],
    ["a string", ""],
  ] as const) {
    it(`changes nothing and is one warning of its class: ${kind}`, async (t) => {
      const { application, url } = await withHooks(t, { beforeDownload: async () => value });
      for (let n = 0; n < 3; n++) assert.equal((await application.get(url)).status, 200);
      await sleep(20);
      assert.deepEqual(
        warnings.map(({ code, message }) => [code, message]),
        [
          [
            "PRIVATE_FILE_HOOK_RESULT",
            `Quota.beforeDownload: returned ${kind}, which has no effect. Return nothing; throw an error in "beforeDownload" to refuse a download.`,
          ],
        ],
      );
    });
  }

  it("is a warning for each hook, and a false of afterDownload and downloadDenied is one like any other value", async (t) => {
    const hooks = { afterDownload: () => false, downloadDenied: () => false };
    const { application, url } = await withHooks(t, hooks);
    for (let n = 0; n < 2; n++) {
      assert.equal((await application.get(url)).status, 200);
      assert.equal((await application.get(url.replace("a.mp4", "b.mp4"))).status, 404);
    }
    await eventually(() => assert.equal(warnings.length, 2));
    await sleep(20);
    assert.deepEqual(warnings.map(({ message }) => /^Quota\.(\w+): returned false,/.exec(message)?.[1]).sort(), [
      "afterDownload",
      "downloadDenied",
    ]);
    assert.ok(application.errors.every((error) => (error as { status?: number }).status === 404));
  });

  it("is no warning in production, nor when it returns nothing", async (t) => {
    const quiet = await withHooks(t, { beforeDownload: async () => {}, afterDownload: () => undefined });
    await quiet.application.get(quiet.url);
    process.env.NODE_ENV = "production";
    const { application, url } = await withHooks(t, { beforeDownload: () => 1 });
    assert.equal((await application.get(url)).status, 200);
    await sleep(20);
    assert.deepEqual(warnings, []);
  });
});

/** A film, and a subscriber of a new class with these hooks. */
async function withHooks(t: TestContext, hooks: Hooks) {
  const film = await withFilm(t, { content: filmOf(1000) });
  class Quota {}
  Object.assign(Quota.prototype, hooks);
  film.application.dataSource.subscribers.push(new Quota());
  return film;
}
