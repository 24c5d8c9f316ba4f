import assert from "node:assert/strict";
import { after, before, describe, it } from "../support/suite.js";
import { source, Workspace, withoutTools } from "./project.js";
import { command, configuration } from "./tools-page.js";

const TEST = `
test("the owner downloads the file, and nobody else does", async () => {
  expect(await use()).toMatchObject({ owner: [200, "second"], nobody: [403, "Forbidden"], downloads: 1 });
}, 60_000);
`;

describe("a test of an application that uses the packed package", { skip: withoutTools }, () => {
  let workspace: Workspace;
  let application: string;

  before(async () => {
    workspace = await Workspace.open("typeorm-1.1");
    application = await source("application.ts");
  });

  after(() => workspace?.close());

  it("passes in Jest, as ES modules with ts-jest", async () => {
    const heading = "ES modules with ts-jest";
    await passesInJest(
      { ...(await configuration("TypeScript")), ...(await configuration(heading)) },
      await command(heading),
    );
  });

  it("passes in Jest, as ES modules with swc", async () => {
    const heading = "ES modules with swc";
    await passesInJest({ ...(await configuration("swc")), ...(await configuration(heading)) }, await command(heading));
  });

  it("passes in Jest, as CommonJS with ts-jest", async () => {
    const { "tsconfig.json": tsconfig } = await configuration("TypeScript");
    await passesInJest({
      "tsconfig.json": tsconfig!.replace("nodenext", "commonjs").replace('["node"]', '["node", "jest"]'),
      ...(await configuration("CommonJS with ts-jest")),
    });
  });

  for (const tool of ["swc", "Babel"]) {
    it(`passes in Jest, as CommonJS with ${tool}`, async () => {
      await passesInJest({ ...(await configuration(tool)), ...(await configuration(`CommonJS with ${tool}`)) });
    });
  }

  it("fails in Jest, as CommonJS, without the line that lets Jest compile the package", async () => {
    const { "package.json": manifest } = await configuration("CommonJS with swc");
    const files = {
      ...(await configuration("swc")),
      "package.json": manifest!.replace("private-files/)", "public-files/)"),
    };
    await assert.rejects(passesInJest(files), /Must use import to load ES Module: .*typeorm-private-files/);
  });

  for (const type of ["module", "commonjs"]) {
    it(`passes in vitest, with type ${type}`, async () => {
      const project = await workspace.project(`vitest-${type}`, {
        "package.json": { type },
        ...(await configuration("vitest")),
        "app.test.ts": `import { expect, test } from "vitest";\n${application}${TEST}`,
      });
      assert.match(await project.run("npx vitest run"), /Tests +1 passed/);
    });
  }

  it("needs no type in @Column() in vitest, where tsconfig.json asks for metadata", async () => {
    const { "tsconfig.json": tsconfig } = await configuration("vitest");
    const untyped = application.replace("@Column({ type: String }) name", "@Column() name");
    const project = await workspace.project("vitest-metadata", {
      "package.json": { type: "module" },
      "tsconfig.json": tsconfig!.replace("true", 'true, "emitDecoratorMetadata": true'),
      "app.test.ts": `import { expect, test } from "vitest";\n${untyped}${TEST}`,
    });
    assert.match(await project.run("npx vitest run"), /Tests +1 passed/);
  });

  async function passesInJest(files: Record<string, string>, run = "npx jest"): Promise<void> {
    const project = await workspace.project(`jest-${++projects}`, { ...files, "app.test.ts": application + TEST });
    // Jest reports to standard error.
    assert.match(await project.run(`${run.trim()} 2>&1`), /Tests: +1 passed/);
  }
});

let projects = 0;
