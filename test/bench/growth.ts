import { tableOf } from "../support/markdown.js";
import { count, duration, number } from "./format.js";
import { measureRounds, type RunLength } from "./rounds.js";
import { cpuRatio, medianOf } from "./samples.js";
import { wholeFiles } from "./scenes.js";
import { application, withServers } from "./servers.js";

const small = wholeFiles[0]!;

/** Measures downloads of 1 KiB from applications whose table has more and more rows. */
export async function rows(folder: string, length: RunLength): Promise<string> {
  const sized = [10, 100, 1000, 10_000].map((others) => application(count(others), "SQLite", { others }));
  return measureSizes("rows", sized, folder, length);
}

/** Measures downloads of 1 KiB from applications with more and more private columns, each of another entity. */
export async function columns(folder: string, length: RunLength): Promise<string> {
  const sized = [1, 10, 50].map((columns) => application(count(columns), "SQLite", { columns }));
  return measureSizes("columns", sized, folder, length);
}

/** @param sized applications that are named by a number, the smallest first. */
async function measureSizes(
  unit: string,
  sized: ReturnType<typeof application>[],
  folder: string,
  length: RunLength,
): Promise<string> {
  const samples = await withServers(sized, folder, (servers) => measureRounds(servers, [small], folder, length));
  const subjects = sized.map(({ name }) => ({ scene: small.name, server: name }));
  const rows = subjects.map((subject) => [
    subject.server,
    duration(medianOf(samples, subject, "cpu")),
    number(cpuRatio(samples, subject, subjects[0]!)),
  ]);
  return tableOf([unit, "CPU of a download of 1 KiB", `of that with ${subjects[0]!.server}`], rows);
}
