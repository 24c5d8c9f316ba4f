// "npm run bench:growth": measures how costs grow, and writes what came to docs/growth.md. "-- rows uploads" measures these parts,
// and only prints.
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { applicationPackages, describeEnvironment } from "./environment.js";
import { makeFiles } from "./files.js";
import { atOnce } from "./growth/at-once.js";
import { coldStart } from "./growth/cold-start.js";
import { columns } from "./growth/columns.js";
import { page, results } from "./growth/page.js";
import type { Part, Section } from "./growth/part.js";
import { rows } from "./growth/rows.js";
import { served } from "./growth/served.js";
import { sweeps } from "./growth/sweeps.js";
import { uploads } from "./growth/uploads.js";
import { assertMeasurable, assertQuiet } from "./machine.js";
import { atWorkbench } from "./workbench.js";

const parts: Part[] = [rows, columns, atOnce, uploads, sweeps, coldStart];
const checkout = resolve(import.meta.dirname, "../../..");
const { values, positionals } = parseArgs({
  options: { force: { type: "boolean", default: false } },
  allowPositionals: true,
});
const isKept = positionals.length === 0;

assertMeasurable();
if (isKept && !values.force) assertQuiet('say "-- --force", or name some parts, which only prints.');
const sections = await measure(isKept ? parts : positionals.map(partOf));
console.log(`\n${results(sections)}`);
if (isKept) {
  await writeFile(
    join(checkout, "docs/growth.md"),
    page(sections, await describeEnvironment(checkout, applicationPackages)),
  );
  console.log("Written to docs/growth.md.");
}

function partOf(name: string): Part {
  const part = parts.find((one) => one.name === name);
  if (part) return part;
  throw new Error(`There is no part "${name}". There are ${parts.map((one) => one.name).join(", ")}.`);
}

async function measure(chosen: readonly Part[]): Promise<Section[]> {
  return atWorkbench(
    (line) => console.log(line),
    async (workbench) => {
      await makeFiles(workbench.folder, served);
      const measured: Section[] = [];
      for (const part of chosen) {
        workbench.say(`Part ${part.name}`);
        measured.push(await part.measure(workbench));
      }
      return measured;
    },
  );
}
