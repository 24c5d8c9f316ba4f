import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Case, Deviation } from "./case.js";
import { type Column, groupsOf, type Outcome, summaryTable, topicTable } from "./comparison.js";
import { diskCases } from "./disk-cases.js";
import { httpCases } from "./http-cases.js";
import { type Kind, kinds } from "./kinds.js";
import { runCase } from "./run-case.js";
import { Subject } from "./subject.js";

// `npm run compare`: puts all cases to all kinds of servers, and writes what came to docs/comparison.md. With `-- --explain` it says more of what was wrong.

/** How many milliseconds a server may take for a case on a machine that does nothing else. */
const PATIENCE = 15_000;

const checkout = resolve(import.meta.dirname, "../../..");
const cases = [...httpCases, ...diskCases];

const columns: Column[] = [];
for (const kind of kinds) columns.push({ name: kind.name, outcomes: await outcomesOf(kind) });
const summary = summaryTable(columns);
const details = topicTable(columns, groupsOf(cases));
await writeFile(join(checkout, "docs/comparison.md"), page(await versions(), summary, details));
console.log(`${details}\n\n${summary}\n\nWritten to docs/comparison.md.`);

async function outcomesOf(kind: Kind): Promise<Map<Case, Outcome>> {
  const subject = await Subject.start(kind);
  const outcomes = new Map<Case, Outcome>();
  try {
    for (const one of cases) outcomes.set(one, await outcomeOf(subject, one));
  } finally {
    await subject.stop();
  }
  return outcomes;
}

async function outcomeOf(subject: Subject, one: Case): Promise<Outcome> {
  if (one.skip) return { skipped: one.skip };
  try {
    await runCase(subject, one, PATIENCE);
    return {};
  } catch (error) {
    if (!(error instanceof Deviation)) throw error;
    if (process.argv.includes("--explain")) {
      console.log(`${subject.kind.name}, ${one.topic}: ${one.title}\n  ${error.message}`);
    }
    return { came: error.came };
  }
}

async function versions(): Promise<string> {
  const names = ["koa", "koa-send", "koa-conditional-get", "@koa/etag", "koa-range"];
  const packages = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(checkout, "node_modules", name, "package.json"), "utf8");
      return `${name} ${(JSON.parse(text) as { version: string }).version}`;
    }),
  );
  return [`Node ${process.versions.node}`, ...packages].join(", ");
}

function page(version: string, summary: string, details: string): string {
  return `# Comparison

This page is written by a program; run it yourself, it takes a minute or two:

\`\`\`sh
npm ci && npm run compare
\`\`\`

It starts each server in a process of its own, puts the same ${cases.length} requests, files and accidents to it over real sockets, and holds
the answers against RFC 9110 and against what a private file may say. They are the package's own tests, in \`test/conformance\`;
\`npm test\` puts some of them to koa-send, too, to be sure that they can fail.

- **koa-send** is given the stored key of a file with its defaults, as an application with a database does, and the path of the
  request for what no row names, as its README does. Who may read a file is decided before.
- **koa-send and companions** has koa-conditional-get, @koa/etag and koa-range around it, in the order of their READMEs.

koa-send is made for the public files of a site. It leaves the method, the permission and the headers of private files to the application, and
does not promise ranges; those who put it before private files have all of that to do themselves. To ignore Range is within
RFC 9110; to send other bytes than were promised is not.

## How many are right

${version}.

${summary}

## Which, and what came instead

✓ is right. ✗ is followed by what came instead, each thing once. The tests of a topic are a suite with the topic's name.

${details}
`;
}
