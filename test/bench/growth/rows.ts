import type { Part } from "./part.js";
import { measureSeries, type Series, seriesSection } from "./series.js";
import { served } from "./served.js";

/** Applications whose table has more and more rows. */
export const rowSeries: Series = {
  ...{ title: "Rows", of: "rows" },
  sizes: [10, 100, 1000, 10_000],
  databases: ["better-sqlite3", "PostgreSQL"],
  applicationOf: (rows) => ({ others: rows - served.length }),
  text: "Downloads of 1 KiB, 16 at once, from applications that have as many rows in the table, in turn. On PostgreSQL only the application's CPU is counted.",
};

/** What rows cost a download. */
export const rows: Part = {
  name: "rows",
  measure: async (workbench) => seriesSection(rowSeries, await measureSeries(workbench, rowSeries)),
};
