import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { DataSource, DataSourceOptions } from "typeorm";
import { databaseOf } from "../../src/cli/target.js";
import { CliProject } from "../support/cli-project.js";
import { freePort } from "../support/free-port.js";

let project: CliProject;
before(async () => {
  project = await CliProject.open();
});
after(() => project.close());

describe("a database that the command can't reach", () => {
  it("is named with its type, name, host and port, and without user and password", async () => {
    const port = await freePort();
    for (const [name, options] of [
      [
        "parts.mjs",
        { type: "postgres", host: "127.0.0.1", port, database: "invoices", username: "u5er", password: "s3cret" },
      ],
      ["url.mjs", { type: "postgres", url: `postgres://u5er:s3cret@127.0.0.1:${port}/invoices` }],
    ] as const) {
      await project.write(name, configuration(options));
      for (const command of ["sweep", "check"]) {
        const { code, stdout, stderr } = await project.run([command, "--config", name]);
        assert.deepEqual([code, stdout], [2, ""]);
        const wanted = `^private-files: the database postgres "invoices" on 127\\.0\\.0\\.1:${port} can't be opened: .*ECONNREFUSED.*\\. Check that it runs`;
        assert.match(stderr, new RegExp(wanted, "m"));
        assert.doesNotMatch(stderr, /u5er|s3cret/);
      }
    }
  });

  it("is not blamed for a declaration that is wrong", async () => {
    const relations = "{ relations: { ownr: true } }";
    await project.write("wrong.mjs", configuration({ type: "sqljs" }, relations));
    const { code, stderr } = await project.run(["check", "--config", "wrong.mjs"]);
    assert.equal(code, 2);
    assert.match(stderr, /^private-files: Letter\.scan: "relations\.ownr" must be a relation/m);
  });
});

describe("the name of a database", () => {
  const names: [DataSourceOptions, string][] = [
    [{ type: "sqljs" }, "sqljs"],
    [{ type: "sqljs", location: "app.sqlite" }, 'sqljs "app.sqlite"'],
    [{ type: "postgres", database: "app" }, 'postgres "app"'],
    [{ type: "postgres", url: "postgres://u:p@db.example.com/app" }, 'postgres "app" on db.example.com'],
    [
      {
        type: "postgres",
        replication: { master: { url: "postgres://u:p@one.example.com:5433/app" }, slaves: [{ host: "two" }] },
      },
      'postgres "app" on one.example.com:5433',
    ],
    [{ type: "postgres", url: "not a url with p@ssword" }, "postgres"],
  ];
  for (const [options, name] of names) {
    it(`is ${name} for ${JSON.stringify(options)}`, () => {
      assert.equal(databaseOf({ options } as DataSource), name);
    });
  }
});

function configuration(options: object, column = "{}"): string {
  const url = (name: string) => JSON.stringify(import.meta.resolve(name));
  return `
    import { DataSource, EntitySchema } from ${url("typeorm")};
    import { DiskStorage, PrivateFiles, privateFileColumn } from ${url("typeorm-private-files")};
    const columns = { id: { type: Number, primary: true, generated: true }, scan: privateFileColumn(${column}) };
    const dataSource = new DataSource({ ...${JSON.stringify(options)}, entities: [new EntitySchema({ name: "Letter", columns })] });
    export const files = new PrivateFiles(dataSource, { storage: new DiskStorage("files") });`;
}
