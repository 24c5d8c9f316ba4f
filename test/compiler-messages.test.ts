import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

// Each mistake is a file of its own. The installed compiler is run once, on all of them and on the class with standard decorators.

const checkout = resolve(import.meta.dirname, "../..");

const ENTITIES = `
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";

export class Profile {
  photo!: PrivateFile | null;
}
export class Invoice {
  id!: number;
  number!: string;
  customer?: string | null;
  profile!: Profile;
  @PrivateFileColumn<Invoice>() scan!: PrivateFile;
  @PrivateFileColumn<Invoice>() receipt?: PrivateFile | null;
}
`;

const HEAD = `
import type { ParameterizedContext } from "koa";
import { PrivateFile, PrivateFileColumn, type PrivateFiles } from "typeorm-private-files";
import { Invoice } from "./entities.js";

declare const files: PrivateFiles;
declare const invoice: Invoice;
type AppContext = ParameterizedContext<{ user: { id: number } }, { tenant: string }>;
`;

const CHOICES = '"profile.photo" | "receipt" | "scan"';

const MISTAKES: [behaviour: string, code: string, message: string][] = [
  [
    "lists the private files where attach gets a property that is not there",
    'void files.attach(invoice, "scna", Buffer.of(1));',
    `Argument of type '"scna"' is not assignable to parameter of type '${CHOICES}'.`,
  ],
  [
    "lists the private files where url gets a property that is not a file",
    'files.url(invoice, "number");',
    `Argument of type '"number"' is not assignable to parameter of type '${CHOICES}'.`,
  ],
  [
    "lists the properties that take a text where fields names a property that is not there",
    'PrivateFileColumn<Invoice>({ fields: { name: "originalName" } });',
    `Type '"originalName"' is not assignable to type '"customer" | "number" | undefined'.`,
  ],
  [
    "lists the properties that take a text where fields names a number",
    'PrivateFileColumn<Invoice>({ fields: { name: "id" } });',
    `Type '"id"' is not assignable to type '"customer" | "number" | undefined'.`,
  ],
  [
    "says which type the property of a column needs where it is a string",
    "export class Letter { @PrivateFileColumn<Letter>() scan!: string; }",
    `Argument of type '"scan"' is not assignable to parameter of type '"a property of type PrivateFile"'.`,
  ],
  [
    "says what a class lacks where its column names another class",
    "export class Letter { @PrivateFileColumn<Invoice>() scan!: PrivateFile; }",
    "Type 'Letter' is missing the following properties from type 'Invoice': id, number, profile",
  ],
  [
    "says what a parent lacks where its column names a child",
    "export abstract class Base { @PrivateFileColumn<Letter>() scan!: PrivateFile; }\nclass Letter extends Base { to!: string; }",
    "Property 'to' is missing in type 'Base' but required in type 'Letter'.",
  ],
  [
    "shows the application's state where a rule misspells one of its properties",
    "PrivateFileColumn<Invoice, AppContext>({ condition: (ctx) => ctx.state.usr !== undefined });",
    "Property 'usr' does not exist on type '{ user: { id: number; }; }'.",
  ],
];

const STANDARD = `
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
export class Invoice { @PrivateFileColumn<Invoice>() scan!: PrivateFile; }
`;

const OPTIONS = {
  extends: "../../../tsconfig.json",
  compilerOptions: { rootDir: ".", outDir: "out", tsBuildInfoFile: "out/tsbuildinfo", noUnusedLocals: false },
  include: ["*.ts"],
};

describe("the compiler", () => {
  let folder: string;
  let printed: string;

  before(async () => {
    // Inside of the checkout, so that the package knows itself by its name.
    folder = await mkdtemp(join(checkout, "dist/mistakes-"));
    await writeProject("legacy", [ENTITIES, ...MISTAKES.map(([, code]) => HEAD + code)], {});
    await writeProject("standard", [STANDARD], { experimentalDecorators: false, emitDecoratorMetadata: false });
    printed = await compile("legacy", "standard");
  });

  after(() => rm(folder, { recursive: true }));

  for (const [index, [behaviour, , message]] of MISTAKES.entries()) {
    it(behaviour, () => assert.ok(complaintOf(`legacy/${nameOf(index + 1)}`).includes(message), printed));
  }

  it("prints nothing where there is no mistake", () => {
    assert.ok(printed.length > 0);
    assert.equal(complaintOf("legacy/entities.ts"), "");
  });

  it("names its option where decorators are standard, and so does the error when the module is imported", async () => {
    assert.match(complaintOf("standard/entities.ts"), /'"experimentalDecorators: true in tsconfig\.json"'/);
    const program = pathToFileURL(join(folder, "standard/out/entities.js")).href;
    await assert.rejects(import(program), {
      code: "ERR_PRIVATE_FILE_CONFIGURATION",
      message:
        'scan: @PrivateFileColumn was called as a standard decorator. Set "experimentalDecorators": true in tsconfig.json, as TypeORM\'s own decorators need it, too.',
    });
  });

  async function writeProject(name: string, sources: string[], compilerOptions: object): Promise<void> {
    await mkdir(join(folder, name));
    const config = { ...OPTIONS, compilerOptions: { ...OPTIONS.compilerOptions, ...compilerOptions } };
    await writeFile(join(folder, name, "tsconfig.json"), JSON.stringify(config));
    for (const [index, source] of sources.entries()) await writeFile(join(folder, name, nameOf(index)), source);
  }

  async function compile(...projects: string[]): Promise<string> {
    const compiler = join(checkout, "node_modules/typescript/bin/tsc");
    const options = ["--build", "--pretty", "false", ...projects];
    const { stdout } = await promisify(execFile)(process.execPath, [compiler, ...options], { cwd: folder }).catch(
      (failed: { stdout: string }) => failed,
    );
    return stdout;
  }

  /** A message's further lines are indented. */
  function complaintOf(file: string): string {
    return printed
      .split(/\n(?! )/)
      .filter((message) => message.startsWith(`${file}(`))
      .join("\n");
  }
});

function nameOf(index: number): string {
  return index === 0 ? "entities.ts" : `mistake-${index}.ts`;
}
