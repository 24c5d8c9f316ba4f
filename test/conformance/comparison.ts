import { tableOf } from "../support/markdown.js";
import type { Case } from "./case.js";

/** What became of a case: nothing where the server is right, else what came instead, or why it was not asked. */
export interface Outcome {
  came?: string;
  skipped?: string;
}

/** One kind of server, and what became of each case. */
export interface Column {
  name: string;
  outcomes: Map<Case, Outcome>;
}

/** A group of cases of one row of the catalogue. */
export interface Group {
  id: string;
  /** What it is about. */
  topic: string;
  cases: Case[];
}

/** Cases by their row, in the order of the rows. */
export function groupsOf(cases: readonly Case[], topics: Record<string, string>): Group[] {
  const ids = [...new Set(cases.map(({ id }) => id))];
  return ids
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .map((id) => ({ id, topic: topics[id.split(",")[0]!] ?? id, cases: cases.filter((one) => one.id === id) }));
}

/** A Markdown table of how many cases each server gets right, by the letter of their rows. */
export function summaryTable(columns: readonly Column[], areas: Record<string, string>): string {
  const rows = Object.entries(areas).map(([letter, area]) => [
    area,
    ...columns.map(({ outcomes }) => score([...outcomes].filter(([{ id }]) => id.startsWith(letter)))),
  ]);
  const all = ["all", ...columns.map(({ outcomes }) => score([...outcomes]))];
  return tableOf(["", ...columns.map(({ name }) => name)], [...rows, all]);
}

/** A Markdown table with a row for each group. */
export function groupTable(columns: readonly Column[], groups: readonly Group[]): string {
  return tableOf(
    ["row", "what", "cases", ...columns.map(({ name }) => name)],
    groups.map(({ id, topic, cases }) => [
      id,
      topic,
      String(cases.length),
      ...columns.map(({ outcomes }) => cell(cases.map((one) => outcomes.get(one)!))),
    ]),
  );
}

function score(outcomes: (readonly [Case, Outcome])[]): string {
  const asked = outcomes.filter(([, { skipped }]) => skipped === undefined);
  return `${asked.filter(([, { came }]) => came === undefined).length} of ${asked.length}`;
}

function cell(outcomes: readonly Outcome[]): string {
  const asked = outcomes.filter(({ skipped }) => skipped === undefined);
  if (asked.length === 0) return "not asked";
  const wrong = asked.flatMap(({ came }) => came ?? []);
  if (wrong.length === 0) return "✓";
  const right = asked.length - wrong.length;
  return `${right > 0 ? `${right} ✓, ${wrong.length} ` : ""}✗ ${[...new Set(wrong)].join("; ")}`;
}
