import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import { describe, it } from "node:test";

/** From the top down. A module may import from its own layer and from those after it. */
const LAYERS = [
  "index",
  "cli",
  "testing",
  "private-files",
  "private-files-options",
  "requirements",
  "download",
  "upload",
  "hooks",
  "lifecycle",
  "sweep",
  "check",
  "verification",
  "database",
  "column",
  "delivery",
  "storage",
  "http",
  "options",
  "warnings",
  "described",
  "node-version",
  "version",
  "errors",
  "quoted",
  "unawaited",
];
const MOST_FILES = 14;

const sources = resolve(import.meta.dirname, "../../src");
const modules = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const imports = new Map(modules.map((module) => [module, importsOf(module)]));

describe("the modules of src", () => {
  it("belong to a layer each", () => {
    assert.ok(modules.length > 100);
    assert.deepEqual(
      modules.filter((module) => !LAYERS.includes(layerOf(module))),
      [],
    );
  });

  it("import downwards only, types included", () => {
    const upwards = [...imports].flatMap(([module, imported]) =>
      imported.filter((other) => rank(other) < rank(module)).map((other) => `${module} imports ${other}`),
    );
    assert.deepEqual(upwards, []);
  });

  it("import each other in no cycle, types included", () => {
    const left = new Map(imports);
    for (let size = -1; size !== left.size; ) {
      size = left.size;
      for (const [module, imported] of left) if (!imported.some((other) => left.has(other))) left.delete(module);
    }
    assert.deepEqual([...left.keys()], []);
  });

  it("load node:test in the suites alone, which no other entry point imports", () => {
    const users = modules.filter((module) => read(module).includes('"node:test"'));
    assert.ok(users.length > 0);
    const importers = modules.filter((module) => imports.get(module)!.some((other) => layerOf(other) === "testing"));
    assert.deepEqual(
      [...users, ...importers].filter((module) => layerOf(module) !== "testing"),
      [],
    );
  });

  it(`are at most ${MOST_FILES} in a folder`, () => {
    const counts = new Map<string, number>();
    for (const module of modules) counts.set(dirname(module), (counts.get(dirname(module)) ?? 0) + 1);
    assert.deepEqual(
      [...counts].filter(([, count]) => count > MOST_FILES),
      [],
    );
  });
});

function importsOf(module: string): string[] {
  const found = read(module).matchAll(/^(?:import|export)\b[^"]*?"(\.[^"]+)\.js";|\bimport\("(\.[^"]+)\.js"\)/gm);
  return [...found].map(([, fixed, lazy]) => `${normalize(join(dirname(module), fixed ?? lazy!))}.ts`);
}

function read(module: string): string {
  return readFileSync(join(sources, module), "utf8");
}

function layerOf(module: string): string {
  return module.split(/[/\\]/, 1)[0]!.replace(/\.ts$/, "");
}

function rank(module: string): number {
  return LAYERS.indexOf(layerOf(module));
}
