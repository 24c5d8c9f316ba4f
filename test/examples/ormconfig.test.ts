import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { DataSource } from "typeorm";
import { prepareDatabase } from "../../docs/examples/site/people.js";

// The folder of the private files is made when the module is loaded.
const filesRoot = await mkdtemp(join(tmpdir(), "site-files-"));
process.env.FILES_ROOT = filesRoot;
const { dataSourceOptions } = await import("../../ormconfig.js");
after(() => rm(filesRoot, { recursive: true }));

describe("ormconfig", () => {
  it("names SQLite in a file when there is no DATABASE_URL", () => {
    const { type, location } = dataSourceOptions(undefined) as { type: string; location: string };
    assert.deepEqual({ type, location }, { type: "sqljs", location: "var/example.sqlite" });
  });

  it("names the database that DATABASE_URL is about", () => {
    const cases = {
      "postgres://user@127.0.0.1/site": "postgres",
      "postgresql://user:secret@127.0.0.1:5432/site": "postgres",
      "mysql://root@127.0.0.1:3306/site": "mysql",
      "mariadb://root@127.0.0.1:3306/site": "mariadb",
      "better-sqlite3:var/site.sqlite": "better-sqlite3",
      "sqlite:///srv/site.sqlite": "better-sqlite3",
    };
    for (const [url, type] of Object.entries(cases)) assert.equal(dataSourceOptions(url).type, type);
    assert.equal(dataSourceOptions("better-sqlite3:var/site.sqlite").database, "var/site.sqlite");
    assert.equal(dataSourceOptions("sqlite:///srv/site.sqlite").database, "/srv/site.sqlite");
  });

  it("says what to write in place of a DATABASE_URL that it can't use, and repeats no password", () => {
    const cases = {
      "oracle://scott:tiger@db/site": /"oracle" is no database that the example can use\. Use postgres:/,
      "postgres://user:tiger@127.0.0.1": /names no database\. Write it as/,
      "mysql://": /names no database/,
      "better-sqlite3:": /names no file/,
      site: /"site" is no database/,
    };
    for (const [url, message] of Object.entries(cases)) {
      assert.throws(() => dataSourceOptions(url), message);
      assert.throws(
        () => dataSourceOptions(url),
        (error: Error) => !error.message.includes("tiger"),
      );
    }
  });

  it("keeps what was saved in the file, and nothing beside it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "site-database-"));
    try {
      const location = join(folder, "new", "example.sqlite");
      const open = () => new DataSource(dataSourceOptions(undefined, location)).initialize();
      const first = await open();
      await prepareDatabase(first);
      await first.destroy();
      const second = await open();
      assert.equal(await second.getRepository("User").count(), 3);
      await second.destroy();
      assert.deepEqual(await readdir(join(folder, "new")), ["example.sqlite"]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
