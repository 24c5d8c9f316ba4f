import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { DataSource, EventSubscriber } from "typeorm";
import { ConfigurationError, DiskStorage, PrivateFiles } from "typeorm-private-files";
import { checkHookNames } from "../../src/hooks/hook-names.js";
import { withFilm } from "../support/film.js";

@EventSubscriber()
class DownloadCounter {
  beforDownload() {}
}

const message =
  'DownloadCounter.beforDownload: no hook has this name, so it would never be called. Rename it to "beforeDownload", or to a name that is less similar.';

describe("a subscriber whose method is a misspelt hook", () => {
  const isRefusal = (error: unknown) => error instanceof ConfigurationError && error.message === message;

  it("makes initialize() fail, with the class, the method and the hook", async () => {
    const dataSource = new DataSource({ type: "sqljs", subscribers: [DownloadCounter] });
    new PrivateFiles(dataSource, { storage: new DiskStorage(tmpdir()) });
    await assert.rejects(dataSource.initialize(), isRefusal);
  });

  it("makes the constructor of PrivateFiles fail where the data source is initialized", async (t) => {
    const dataSource = await new DataSource({ type: "sqljs", subscribers: [DownloadCounter] }).initialize();
    t.after(() => dataSource.destroy());
    assert.throws(() => new PrivateFiles(dataSource), isRefusal);
  });

  it("makes routes() fail where it was added meanwhile, as NestJS does", async (t) => {
    const { application } = await withFilm(t);
    application.dataSource.subscribers.push(new DownloadCounter() as object);
    assert.throws(() => application.files.routes(), isRefusal);
  });
});

describe("a method's name", () => {
  class Base {
    afterDownloads() {}
  }
  const misspelt: [name: string, hook: string, subscriber: object][] = [
    ["beforedownload", "beforeDownload", { beforedownload() {} }],
    ["BeforeDownload", "beforeDownload", { BeforeDownload() {} }],
    ["afterdownload", "afterDownload", { afterdownload() {} }],
    ["beforeDownlaod", "beforeDownload", { beforeDownlaod() {} }],
    ["afterDownloads", "afterDownload", new (class Log extends Base {})()],
    ["downloadDenyed", "downloadDenied", { downloadDenyed() {} }],
    ["downloaddenied", "downloadDenied", { downloaddenied: () => {} }],
    [
      "beforeDownloaded",
      "beforeDownload",
      new (class {
        beforeDownloaded = () => {};
      })(),
    ],
  ];
  for (const [name, hook, subscriber] of misspelt) {
    it(`${name} is taken for ${hook}`, () => {
      assert.throws(() => checkHookNames([subscriber]), {
        code: "ERR_PRIVATE_FILE_CONFIGURATION",
        message: new RegExp(`\\.${name}: .* "${hook}"`),
      });
    });
  }

  it("may be anything else: less similar, of a property that is no function, or of a getter, which is not called", () => {
    checkHookNames([
      { beforeDownload() {}, afterDownload: () => {}, downloadDenied() {} },
      {
        onDownload() {},
        countDownload() {},
        beforeUpload() {},
        afterUpload() {},
        isDownloadDenied() {},
        download() {},
      },
      { afterDownloads: 7, downloadDenied2: null },
      {
        get beforDownload() {
          return assert.fail("called");
        },
      },
      Object.assign(Object.create(null), { log() {} }),
    ]);
  });

  it("may be that of any hook of the installed TypeORM", () => {
    const root = dirname(createRequire(import.meta.url).resolve("typeorm"));
    const file = join(root, "subscriber/EntitySubscriberInterface.d.ts");
    const names = [...readFileSync(file, "utf8").matchAll(/^\s+(\w+)\?\(/gm)].map(([, name]) => name!);
    assert.ok(names.length >= 20 && names.includes("afterLoad"), `${names}`);
    checkHookNames([Object.fromEntries(names.map((name) => [name, () => {}]))]);
  });
});
