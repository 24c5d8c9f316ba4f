import assert from "node:assert/strict";
import { tableOf } from "../support/markdown.js";
import { after, before, describe, it } from "../support/suite.js";
import { type Libraries, type Project, source, Workspace, withoutTools } from "./project.js";
import { toolsPage } from "./tools-page.js";

/** The compilers, by the folder of `node_modules` that has them. */
const COMPILERS = {
  "5.4": "typescript-5.4",
  "5.9": "typescript-5.9",
  "6.0": "typescript",
  "7.0": "typescript-7.0",
} as const;

type Version = keyof typeof COMPILERS;

/** A pair that exists, and the kinds of project that each version of TypeScript lets import the package in it. */
interface Pair {
  module: string;
  moduleResolution: string;
  "ES modules": readonly Version[];
  CommonJS: readonly Version[];
}

const PAIRS: readonly Pair[] = [
  {
    module: "nodenext",
    moduleResolution: "nodenext",
    "ES modules": ["5.4", "5.9", "6.0", "7.0"],
    CommonJS: ["5.9", "6.0", "7.0"],
  },
  {
    module: "node20",
    moduleResolution: "node16",
    "ES modules": ["5.9", "6.0", "7.0"],
    CommonJS: ["5.9", "6.0", "7.0"],
  },
  {
    module: "preserve",
    moduleResolution: "bundler",
    "ES modules": ["5.4", "5.9", "6.0", "7.0"],
    CommonJS: ["5.4", "5.9", "6.0", "7.0"],
  },
  { module: "commonjs", moduleResolution: "bundler", "ES modules": [], CommonJS: ["6.0", "7.0"] },
  { module: "commonjs", moduleResolution: "node10", "ES modules": [], CommonJS: ["5.4", "5.9", "6.0"] },
];

/** What is installed beside the package, and the pairs to compile with it. */
const LIBRARIES: Record<string, { folder: Libraries; pairs: readonly Pair[] }> = {
  "TypeORM 1.1 and Koa 3": { folder: "typeorm-1.1", pairs: PAIRS },
  "TypeORM 0.3 and Koa 2": { folder: "typeorm-0.3", pairs: PAIRS.slice(0, 1) },
};

// The sources have lines that must not compile, below `@ts-expect-error`: so a compiler that finds no types complains, too.

for (const [libraries, { folder, pairs }] of Object.entries(LIBRARIES)) {
  describe(`the types of the packed package, with ${libraries}`, { skip: withoutTools }, () => {
    let workspace: Workspace;
    let surface: string;

    before(async () => {
      workspace = await Workspace.open(folder);
      surface = await source("surface.ts");
    });

    after(() => workspace?.close());

    for (const pair of pairs) {
      for (const version of versionsOf(pair)) {
        const kinds = kindsOf(pair, version).join(" and in ");
        it(`compile with TypeScript ${version}, module ${pair.module}, resolution ${pair.moduleResolution}, in ${kinds}`, async () => {
          const name = `${pair.module}-${pair.moduleResolution}-${version}`;
          const sources = kindsOf(pair, version).map((kind) => [
            kind === "CommonJS" ? "surface.cts" : "surface.mts",
            surface,
          ]);
          const options = {
            ...STRICT,
            module: pair.module,
            moduleResolution: pair.moduleResolution,
            ...deprecated(pair, version),
          };
          const project = await workspace.project(name, {
            "tsconfig.json": { compilerOptions: options },
            ...Object.fromEntries(sources),
          });
          assert.deepEqual(await complaints(project, version), []);
        });
      }
    }
  });
}

describe("docs/tools.md", () => {
  it("has the table of the pairs of module and resolution that the types compile in", async () => {
    const head = ["`module`", "`moduleResolution`", "ES modules", "CommonJS"];
    const rows = PAIRS.map((pair) => [
      `\`${pair.module}\``,
      `\`${pair.moduleResolution}\``,
      pair["ES modules"].join(", ") || "none",
      pair.CommonJS.join(", ") || "none",
    ]);
    assert.ok((await toolsPage()).includes(`\n${tableOf(head, rows)}\n`), tableOf(head, rows));
  });
});

const STRICT = {
  target: "es2022",
  lib: ["es2022"],
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  esModuleInterop: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  noEmit: true,
};

function versionsOf(pair: Pair): Version[] {
  return (Object.keys(COMPILERS) as Version[]).filter((version) => kindsOf(pair, version).length > 0);
}

function kindsOf(pair: Pair, version: Version): ("ES modules" | "CommonJS")[] {
  return (["ES modules", "CommonJS"] as const).filter((kind) => pair[kind].includes(version));
}

/** What TypeScript 6.0 wants to be told before it accepts what 7.0 does not have any more. */
function deprecated({ moduleResolution }: Pair, version: Version) {
  return moduleResolution === "node10" && version === "6.0" ? { ignoreDeprecations: "6.0" } : {};
}

/** The compiler's errors, without those inside other packages' types. */
async function complaints(project: Project, version: Version): Promise<string[]> {
  const output = await project.run(`node ../node_modules/${COMPILERS[version]}/bin/tsc --pretty false || true`);
  const messages = output.split(/\n(?! )/).filter((message) => message !== "");
  return messages.filter((message) => !isOthers(message));
}

function isOthers(message: string): boolean {
  const path = /^([^(]+)\(\d+,\d+\): /.exec(message)?.[1] ?? "";
  return path.includes("/node_modules/") && !path.includes("/node_modules/typeorm-private-files/");
}
