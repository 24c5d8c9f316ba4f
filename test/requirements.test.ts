import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import * as typeorm from "typeorm";
import { ConfigurationError, PrivateFiles } from "typeorm-private-files";

const require = createRequire(import.meta.url);

describe("a data source that does not work", () => {
  it("is refused when it belongs to another copy of TypeORM", () => {
    const { DataSource } = anotherTypeOrm();
    assert.notEqual(DataSource, typeorm.DataSource);
    assertRefused(
      new DataSource({ type: "sqljs" }),
      'PrivateFiles: the data source is of another copy of TypeORM. Install TypeORM once: "npm ls typeorm" shows where it is.',
    );
  });

  it("is refused when its database is MongoDB", () => {
    assertRefused(
      new typeorm.DataSource({ type: "mongodb", driver: {} }),
      "PrivateFiles: MongoDB is not supported. Use a data source with a SQL database.",
    );
  });

  it("is refused when its driver does not announce statements", () => {
    const options = { type: "aurora-mysql", driver: class {} } as unknown as typeorm.DataSourceOptions;
    assertRefused(
      new typeorm.DataSource(options),
      `PrivateFiles: TypeORM's driver "aurora-mysql" does not announce statements, by which files follow their rows. Use another driver.`,
    );
  });

  for (const [title, value] of [
    ["nothing", undefined],
    ["null", null],
    ["its options", { type: "sqljs" }],
    ["the class", typeorm.DataSource],
    ["an entity manager", new typeorm.DataSource({ type: "sqljs" }).manager],
  ] as const) {
    it(`is refused when it is ${title}`, () => {
      assertRefused(
        value as never,
        "PrivateFiles: expected a DataSource of TypeORM as the first argument. Give the one that has the entities.",
      );
    });
  }

  it("is not taken for one when it is of a class that extends TypeORM's, or a proxy", () => {
    class Traced extends typeorm.DataSource {}
    new PrivateFiles(new Traced({ type: "sqljs" }));
    new PrivateFiles(new Proxy(new typeorm.DataSource({ type: "sqljs" }), {}));
  });
});

function assertRefused(dataSource: typeorm.DataSource, message: string): void {
  assert.throws(
    () => new PrivateFiles(dataSource),
    (error) => error instanceof ConfigurationError && error.message === message,
  );
}

/** TypeORM's modules once more, as a second installation of it has them. */
function anotherTypeOrm(): typeof typeorm {
  const known = Object.entries(require.cache).filter(([file]) => file.includes("/node_modules/typeorm/"));
  for (const [file] of known) delete require.cache[file];
  try {
    return require("typeorm");
  } finally {
    Object.assign(require.cache, Object.fromEntries(known));
  }
}
