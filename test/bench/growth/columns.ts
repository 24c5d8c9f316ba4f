import type { Part } from "./part.js";
import { measureSeries, type Series, seriesSection } from "./series.js";

const columnSeries: Series = {
  ...{ title: "Columns", of: "columns" },
  sizes: [1, 10, 50],
  databases: ["better-sqlite3"],
  applicationOf: (columns) => ({ columns }),
  text: "Downloads of 1 KiB, 16 at once, from applications that have as many private columns, each of an entity of its own, in turn. The last one's file is asked for.",
};

/** What private columns cost a download. */
export const columns: Part = {
  name: "columns",
  measure: async (workbench) => seriesSection(columnSeries, await measureSeries(workbench, columnSeries)),
};
