import { tableOf } from "../support/markdown.js";
import type { Case } from "./case.js";
import { type Area, areas, type Topic, topics } from "./topics.js";

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

/** The cases of a topic. */
export interface Group {
  topic: Topic;
  cases: Case[];
}

/** Cases by their topic, in the order of the topics. */
export function groupsOf(cases: readonly Case[]): Group[] {
  const order = areas.flatMap<Topic>((area) => topics[area]);
  return order.map((topic) => ({ topic, cases: cases.filter((one) => one.topic === topic) }));
}

/** A Markdown table of how many cases each server gets right, by area. */
export function summaryTable(columns: readonly Column[]): string {
  const rows = areas.map((area) => [area, ...columns.map(({ outcomes }) => score(outcomesIn(area, outcomes)))]);
  const all = ["all", ...columns.map(({ outcomes }) => score([...outcomes.values()]))];
  return tableOf(["", ...columns.map(({ name }) => name)], [...rows, all]);
}

/** A Markdown table with a row for each topic. */
export function topicTable(columns: readonly Column[], groups: readonly Group[]): string {
  return tableOf(
    ["topic", "cases", ...columns.map(({ name }) => name)],
    groups.map(({ topic, cases }) => [
      topic,
      String(cases.length),
      ...columns.map(({ outcomes }) => cell(cases.map((one) => outcomes.get(one)!))),
    ]),
  );
}

function outcomesIn(area: Area, outcomes: Map<Case, Outcome>): Outcome[] {
  const inArea: readonly Topic[] = topics[area];
  return [...outcomes].filter(([{ topic }]) => inArea.includes(topic)).map(([, outcome]) => outcome);
}

function score(outcomes: readonly Outcome[]): string {
  const asked = outcomes.filter(({ skipped }) => skipped === undefined);
  return `${asked.filter(({ came }) => came === undefined).length} of ${asked.length}`;
}

function cell(outcomes: readonly Outcome[]): string {
  const asked = outcomes.filter(({ skipped }) => skipped === undefined);
  if (asked.length === 0) return "not asked";
  const wrong = asked.flatMap(({ came }) => came ?? []);
  if (wrong.length === 0) return "✓";
  const right = asked.length - wrong.length;
  return `${right > 0 ? `${right} ✓, ${wrong.length} ` : ""}✗ ${[...new Set(wrong)].join("; ")}`;
}
