import { tableOf } from "../support/markdown.js";
import { duration, mebibytes, number } from "./format.js";
import { measureRounds, type RunLength } from "./rounds.js";
import { cpuRatio, medianOf, type Sample, type Subject, samplesOf } from "./samples.js";
import { scenes, wholeFiles } from "./scenes.js";
import { contestants, KOA_SEND, withServers } from "./servers.js";

/** Measures downloads, refusals and 304s beside other servers. */
export async function downloads(folder: string, length: RunLength): Promise<string> {
  const samples = await withServers(contestants, folder, (servers) => measureRounds(servers, scenes, folder, length));
  return downloadTables(samples, length.rounds);
}

/** The tables of all samples, as Markdown. */
export function downloadTables(samples: readonly Sample[], rounds: number): string {
  const aims = ["aim", ...scenes.map(({ aim }) => (aim ? `≤ ${aim}` : ""))];
  const ratios = table(samples, (subject) => number(cpuRatio(samples, subject, baseOf(subject))));
  const peak = (subject: Subject) => Math.max(...samplesOf(samples, subject).map((sample) => sample.peak));
  return [
    `CPU of a request, as a share of koa-send's for the same file (medians, rounds: ${rounds})`,
    tableOf(...withRow(ratios, aims)),
    "CPU of a request",
    tableOf(...table(samples, (subject) => duration(medianOf(samples, subject, "cpu")))),
    "Requests a second",
    tableOf(...table(samples, (subject) => number(medianOf(samples, subject, "rate")))),
    "The most memory of the server",
    tableOf(...table(samples, (subject) => mebibytes(peak(subject)))),
  ].join("\n\n");
}

type Table = [head: string[], rows: string[][]];

/** A line for each server, a cell for each scene. */
function table(samples: readonly Sample[], cell: (subject: Subject) => string): Table {
  const servers = [...new Set(samples.filter(({ round }) => round === 0).map(({ server }) => server))];
  const rows = servers.map((server) => {
    const subjects = scenes.map(({ name }) => ({ scene: name, server }));
    return [server, ...subjects.map((subject) => (samplesOf(samples, subject).length > 0 ? cell(subject) : ""))];
  });
  return [["", ...scenes.map(({ name }) => name)], rows];
}

function withRow([head, rows]: Table, row: string[]): Table {
  return [head, [...rows, row]];
}

/** koa-send with the same whole file, or with the smallest. */
function baseOf({ scene }: Subject): Subject {
  const { name } = wholeFiles.find((whole) => whole.name === scene) ?? wholeFiles[0]!;
  return { scene: name, server: KOA_SEND };
}
