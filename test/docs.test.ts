import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import type { Middleware } from "koa";
import { typeormCallsTable } from "./lifecycle/typeorm-calls-table.js";
import { startApplication } from "./support/application.js";
import { anchorsOf, documents, type Fence, fencesOf, relativeLinksOf } from "./support/markdown.js";
import { startProgram } from "./support/printing-program.js";

// A fence marked `ts` is a module of its own, complete with its imports; a reader can paste it. There is no other kind, and no
// way to leave one unchecked. The first one of README.md is a program, which is run.

const checkout = resolve(import.meta.dirname, "../..");
const pages = await markdownPages();

describe("a code example of the documentation", () => {
  let folder: string;
  /** What the compiler has to say, by the file of the fence. */
  let complaints: Map<string, string[]>;

  before(async () => {
    // Inside of the checkout, so that the package knows itself by its name, and imports find the checkout's node_modules.
    folder = await mkdtemp(join(checkout, "dist/docs-"));
    complaints = await compile(folder);
  });

  after(() => rm(folder, { recursive: true }));

  it("is at least in README.md", async () => {
    assert.equal(fencesOf(await read("README.md"))[0]?.info, "ts");
  });

  for (const [page, markdown] of pages) {
    for (const fence of codeOf(markdown)) {
      it(`compiles by itself against the package: ${page}, line ${fence.line}`, () => {
        assert.equal(fence.info, "ts", "A TypeScript fence is marked ts and nothing else.");
        assert.doesNotMatch(fence.code, /@ts-(nocheck|ignore)/);
        assert.deepEqual(complaints.get(fileOf(page, fence)) ?? [], []);
      });
    }
  }

  it("has no rule that takes a request without a user for the owner of a row without one", async () => {
    const examples = await readdir(join(checkout, "docs/examples"), { recursive: true });
    const sources = await readdir(join(checkout, "src"), { recursive: true });
    const files = [
      ...examples.map((file) => join("docs/examples", file)),
      ...sources.map((file) => join("src", file)),
    ].filter((file) => file.endsWith(".ts"));
    const texts = await Promise.all(files.map(async (file) => [file, await read(file)] as const));
    const code = [
      ...texts,
      ...[...pages].flatMap(([page, markdown]) => codeOf(markdown).map((one) => [page, one.code] as const)),
    ];
    // "ctx.state.user?.id" is undefined without a user, and so is "owner?.id" without an owner.
    const trap = /===?\s*ctx\.state\.user\?\.|ctx\.state\.user\?\.\w+\s*===?|condition:.*ctx\.state\.user\?\./;
    assert.ok(code.length > 100);
    assert.deepEqual(
      code.flatMap(([name, text]) => text.split("\n").flatMap((line) => (trap.test(line) ? `${name}: ${line}` : []))),
      [],
    );
  });

  it("in the first place of README.md runs, and serves the file at the address that it prints to its owner alone", async (t) => {
    const program = join(folder, fileOf("README.md", codeOf(await read("README.md"))[0]!).replace(/\.ts$/, ".js"));
    const { url, stop } = await startProgram([process.execPath, program], await mkdtemp(join(folder, "run-")));
    t.after(stop);
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-disposition")!, /^attachment; filename="invoice\.pdf"/);
    assert.match(await answer.text(), /^%PDF/);
    for (const query of ["", "?user=", "?user=8"]) {
      const refused = await fetch(url.replace("?user=7", query));
      assert.equal(refused.status, 403, query);
      assert.equal(await refused.text(), "Forbidden");
    }
  });

  it("that begins with a path of docs/examples is that file as it is", async () => {
    const fences = [...pages.values()].flatMap((markdown) => codeOf(markdown).map(({ code }) => code));
    const shown = fences.flatMap((code) => [...code.matchAll(/^\/\/ (docs\/examples\/\S+)\n(.*)$/gs)]);
    assert.ok(shown.length > 0);
    for (const [, path, code] of shown) assert.equal(code, await read(path!), path);
  });

  it("of old addresses in docs/from-a-column.md redirects whom the rule lets read, and answers all others alike", async (t) => {
    const page = "docs/from-a-column.md";
    const fence = codeOf(await read(page)).find(({ code }) => code.includes("oldAddresses"))!;
    const { Invoice, oldAddresses } = await import(join(folder, fileOf(page, fence).replace(/\.ts$/, ".js")));
    let redirect: Middleware;
    const application = await startApplication({
      entities: [Invoice],
      before(app) {
        app.use((ctx, next) => {
          if (ctx.state.user) ctx.state.user = { id: Number(ctx.state.user.id) };
          return redirect(ctx, next);
        });
      },
    });
    t.after(() => application.close());
    const { dataSource, storage, files } = application;
    redirect = oldAddresses(files).routes();
    for (const [customer, key] of [
      [7, "uploads/2019/résumé 100%.pdf"],
      [8, "uploads/2019/other.pdf"],
    ]) {
      await storage.put(String(key), Readable.from([Buffer.from(`for ${customer}`)]));
      await dataSource.query('INSERT INTO invoice ("customerId", path) VALUES (?, ?)', [customer, key]);
    }

    const old = `/uploads/2019/${encodeURIComponent("résumé 100%.pdf")}`;
    const { status, headers } = await application.get(old, { as: "7" });
    assert.deepEqual([status, headers["cache-control"]], [302, "private, no-store"]);
    const file = await application.get(headers.location!, { as: "7" });
    assert.equal(file.body.toString(), "for 7");

    const answers = [];
    for (const as of ["7", "8", "9", undefined]) {
      for (const path of [
        old,
        "/uploads/2019/other.pdf",
        "/uploads/2019/none.pdf",
        "/uploads/a%00b",
        "/uploads/%ff",
        "/uploads/x%2f..%2fy",
      ]) {
        const answer = await application.get(path, { as });
        if (answer.status !== 302) answers.push({ ...answer, headers: { ...answer.headers, date: undefined } });
      }
    }
    assert.equal(answers.length, 4 * 6 - 2);
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal(answers[0]!.status, 404);
    assert.deepEqual(application.errors, []);
  });

  it("asks for the user before it compares, in every rule: without an owner and a user both sides are undefined", async () => {
    const code = [...pages.values()].flatMap((markdown) => fencesOf(markdown).map((fence) => fence.code));
    for (const top of ["src", "docs/examples"]) {
      const paths = await readdir(join(checkout, top), { recursive: true });
      for (const path of paths.filter((name) => name.endsWith(".ts"))) code.push(await read(join(top, path)));
    }
    assert.ok(code.some((text) => text.includes("ctx.state.user != null && ")));
    const traps = code.flatMap(
      (text) => text.match(/.*(?:=== ctx\.state\.user\?\.|ctx\.state\.user\?\.\w+ ===).*/g) ?? [],
    );
    assert.deepEqual(traps, []);
  });
});

describe("the documentation", () => {
  it("has a place in docs/reference.md for every name that the package exports", async () => {
    const reference = await read("docs/reference.md");
    const names = (await publicDeclarations()).map(({ name }) => name);
    for (const name of ["PrivateFiles", "PrivateFileError", "describeStorage"]) assert.ok(names.includes(name), name);
    assert.deepEqual(
      names.filter((name) => !documents(reference, name)),
      [],
    );
  });

  it("has a row in docs/errors.md for every error code, and for no other", async () => {
    const codes = (await read("src/errors.ts")).match(/(?<=\| ")ERR_\w+(?=")/g) ?? [];
    const rows = (await read("docs/errors.md")).match(/(?<=^\| *`)ERR_\w+(?=` *\|)/gm) ?? [];
    assert.ok(codes.length > 0);
    assert.deepEqual(rows.toSorted(), codes.toSorted());
  });

  it("explains every option of a column and of PrivateFiles", async () => {
    const explained = (await read("docs/columns.md")) + (await read("docs/reference.md"));
    const declarations = await publicDeclarations();
    const options = [
      "PrivateFileColumnOptions",
      "DatabaseColumnOptions",
      "PrivateFileFields",
      "PrivateFilesOptions",
    ].flatMap((name) =>
      membersOf(declarations.find((declaration) => declaration.name === name)!.body).map((member) => member.name),
    );
    const database = declarations.find(({ name }) => name === "DatabaseColumnOptions")!.body.match(/(?<=")\w+(?=")/g)!;
    assert.ok(options.includes("condition") && options.includes("hideDenied") && database.includes("nullable"));
    assert.deepEqual(
      [...options, ...database].filter((name) => !documents(explained, name)),
      [],
    );
  });

  it("explains every option of a sweep and of a check, and every problem that a check finds", async () => {
    const page = await read("docs/sweep.md");
    const declarations = await publicDeclarations();
    const bodyOf = (name: string) => declarations.find((declaration) => declaration.name === name)!.body;
    const names = [
      ...["SweepOptions", "CheckOptions", "SweepReport", "Problem"].flatMap((name) => membersOf(bodyOf(name))),
    ].map(({ name }) => name);
    const codes = bodyOf("ProblemCode").match(/(?<=\| ")\w+(?=")/g)!;
    assert.ok(names.includes("olderThan") && names.includes("staticFolders") && codes.includes("STORAGE_FAILS"));
    assert.deepEqual(
      [...names, ...codes].filter((name) => !documents(page, name)),
      [],
    );
  });

  it("names for every promise a test that is there, by a part of its title", async () => {
    for (const page of ["docs/downloads.md", "docs/lifecycle.md", "docs/security.md"]) {
      const rows = (await read(page))
        .match(/(?<=^\| promise \| test \|\n\|---\|---\|\n)(?:\|.*\n)+/gm)!
        .join("")
        .trim()
        .split("\n");
      assert.ok(rows.length > 10);
      for (const row of rows) assert.ok(testsNamedIn(row).length > 0, `${page} names no test: ${row}`);
    }
  });

  it("names no test that is not there", async () => {
    for (const [page, markdown] of pages) {
      for (const { file, titles } of testsNamedIn(markdown)) {
        assert.ok(existsSync(join(checkout, file)), `${page}: there is no ${file}`);
        const source = await read(file);
        for (const title of titles) assert.ok(source.includes(title), `${page}: ${file} has no test "${title}"`);
      }
    }
  });

  it("says of each call of TypeORM what the tests say of it, and of no other", async () => {
    const table = /^\| call \|.*\n(?:\|.*\n)+/m.exec(await read("docs/lifecycle.md"))![0];
    assert.deepEqual(table.trim().split("\n"), typeormCallsTable());
  });

  it("has only links that lead to a file that is there, and to a heading in it", async () => {
    for (const [page, markdown] of pages) {
      for (const { link, path, anchor } of relativeLinksOf(page, markdown)) {
        const target = join(checkout, path);
        assert.ok(!path.startsWith("..") && existsSync(target), `${page}: ${link} leads to no file`);
        if (anchor === undefined) continue;
        const anchors = anchorsOf(await readFile(target, "utf8"));
        assert.ok(anchors.includes(anchor), `${page}: ${link} leads to no heading; there are ${anchors.join(", ")}`);
      }
    }
  });
});

describe("the source", () => {
  it("describes every exported name", async () => {
    const bare = (await publicDeclarations()).filter(({ described }) => !described);
    assert.deepEqual(
      bare.map(({ name, file }) => `${name} in ${file}`),
      [],
    );
  });

  it("describes every member of an exported interface, each option among them", async () => {
    const interfaces = (await publicDeclarations()).filter(({ kind }) => kind === "interface");
    const members = interfaces.flatMap(({ name, body }) =>
      membersOf(body).map((member) => ({ ...member, name: `${name}.${member.name}` })),
    );
    assert.ok(members.some(({ name }) => name === "PrivateFileColumnOptions.condition"));
    assert.deepEqual(
      members.filter(({ described }) => !described).map(({ name }) => name),
      [],
    );
  });
});

/** The tests that a text names, in the form `test/download/paths.test.ts`: "a part of a title", "another". */
function testsNamedIn(markdown: string): { file: string; titles: string[] }[] {
  const named = markdown.matchAll(/`((?:test|src\/testing)\/[^`*]+\.ts)`(?:: ((?:"[^"]+"(?:, )?)+))?/g);
  return [...named].map(([, file, titles = ""]) => ({
    file: file!,
    titles: [...titles.matchAll(/"([^"]+)"/g)].map(([, title]) => title!),
  }));
}

/** A name that an entry point of the package exports, where it is declared. */
interface Declaration {
  name: string;
  kind: string;
  file: string;
  body: string;
  described: boolean;
}

async function publicDeclarations(): Promise<Declaration[]> {
  const entries = (await read("src/index.ts")) + (await read("src/testing.ts"));
  const declarations: Declaration[] = [];
  for (const [, list, from] of entries.matchAll(/export (?:type )?(\*|\{[^}]*\}) from "\.\/([^"]+)\.js"/g)) {
    const found = declarationsIn(`src/${from}.ts`, await read(`src/${from}.ts`));
    const wanted = list === "*" ? found.map(({ name }) => name) : list!.replaceAll("type ", "").match(/\w+/g)!;
    for (const name of wanted) {
      const declaration = found.find((one) => one.name === name);
      assert.ok(declaration, `${name} is exported by ${from} in a way that this test can't read`);
      declarations.push(declaration);
    }
  }
  return declarations;
}

function declarationsIn(file: string, source: string): Declaration[] {
  const starts = source.matchAll(/^export (?:abstract |async )*(class|function|interface|type|const) (\w+)/gm);
  return [...starts].map((match) => ({
    kind: match[1]!,
    name: match[2]!,
    file,
    body: source.slice(match.index).split(/\n\n(?=\S)/, 1)[0]!,
    described: isDescribed(source, match.index),
  }));
}

/** The members of an interface. */
function membersOf(body: string): { name: string; described: boolean }[] {
  const members = body.matchAll(/^ {2}(?:readonly )?(\[?\w+\]?)\??[:(<]/gm);
  return [...members].map((match) => ({ name: match[1]!, described: isDescribed(body, match.index) }));
}

function isDescribed(source: string, index: number): boolean {
  return /\*\/\s*$/.test(source.slice(0, index));
}

/** Compiles all examples at once, each as a file whose lines are numbered as on its page. */
async function compile(folder: string): Promise<Map<string, string[]>> {
  for (const [page, markdown] of pages) {
    for (const fence of codeOf(markdown)) {
      await writeFile(join(folder, fileOf(page, fence)), "\n".repeat(fence.line) + fence.code);
    }
  }
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(EXAMPLES));
  const compiler = join(checkout, "node_modules/typescript/bin/tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [compiler], { cwd: folder }).catch(
    (failed: { stdout: string }) => failed,
  );
  const complaints = new Map<string, string[]>();
  // A message's further lines are indented.
  for (const message of stdout.split(/\n(?! )/).filter((text) => text !== "")) {
    const file = /^([^(\s]+\.ts)\(/.exec(message)?.[1];
    assert.ok(file, `The compiler complains of no example, but: ${message}`);
    complaints.set(file, [...(complaints.get(file) ?? []), message]);
  }
  return complaints;
}

const EXAMPLES = {
  extends: "../../tsconfig.json",
  compilerOptions: {
    ...{ rootDir: ".", outDir: ".", incremental: false, tsBuildInfoFile: null, moduleDetection: "force" },
    // A reader sees a part of an application.
    ...{ noUnusedLocals: false, noUnusedParameters: false },
  },
  include: ["*.ts"],
  // Else the compiler would leave out the folder that it writes to.
  exclude: [],
};

/** The TypeScript of a page, however it is marked. */
function codeOf(markdown: string): Fence[] {
  return fencesOf(markdown).filter(({ info }) => /^(ts|tsx|mts|cts|typescript)\b/i.test(info));
}

function fileOf(page: string, fence: Fence): string {
  return `${page.replaceAll("/", "-").replace(/\.md$/, "")}-${fence.line}.ts`;
}

async function read(path: string): Promise<string> {
  return readFile(join(checkout, path), "utf8");
}

/** The pages that people read, by their paths from the checkout. */
async function markdownPages(): Promise<Map<string, string>> {
  const top = (await readdir(checkout)).map((name) => join(checkout, name));
  const docs = (await readdir(join(checkout, "docs"), { recursive: true })).map((name) => join(checkout, "docs", name));
  const found = new Map<string, string>();
  for (const path of [...top, ...docs].filter((name) => name.endsWith(".md")).sort()) {
    found.set(relative(checkout, path), await readFile(path, "utf8"));
  }
  return found;
}
