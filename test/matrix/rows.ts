/** One combination of versions that the tests run on. */
export interface Row {
  name: string;
  node: string;
  typeorm: string;
  koa: string;
}

/** The versions of the matrix, the oldest first: of each line the oldest that `package.json` allows, and the newest. */
export const VERSIONS = {
  node: ["20.19.0", "20.20.2", "22.13.0", "22.23.3", "24.11.0", "24.21.0", "26.0.0", "26.10.0"],
  typeorm: ["0.3.20", "0.3.31", "1.0.0", "1.1.1"],
  koa: ["2.16.0", "2.16.4", "3.0.0", "3.3.0"],
} as const;

type Part = keyof typeof VERSIONS;
export const PARTS = Object.keys(VERSIONS) as Part[];

const oldest = { name: "oldest", ...each((part) => VERSIONS[part][0]) };
const newest = { name: "newest", ...each((part) => VERSIONS[part].at(-1)!) };
/** What an application has that was not updated for a while. */
const mature = { name: "mature", node: "20.20.2", typeorm: "0.3.31", koa: "2.16.4" };

/** Versions of TypeORM run on this Node, for which `.ci/run` builds better-sqlite3. */
export const NODE_OF_BETTER_SQLITE3 = "20.20.2";

/** All rows. The first have the newest of all but one part; those of older versions of Node mix the others. */
export const ROWS: Row[] = [
  newest,
  ...["1.0.0", "0.3.31", "0.3.20"].map((typeorm) => {
    return { ...newest, name: `typeorm-${typeorm}`, node: NODE_OF_BETTER_SQLITE3, typeorm };
  }),
  { name: "node-26.0.0", node: "26.0.0", typeorm: "1.1.1", koa: "3.0.0" },
  { name: "node-24.21.0", node: "24.21.0", typeorm: "0.3.31", koa: "3.3.0" },
  { name: "node-24.11.0", node: "24.11.0", typeorm: "1.0.0", koa: "2.16.4" },
  { name: "node-22.23.3", node: "22.23.3", typeorm: "1.1.1", koa: "2.16.0" },
  { name: "node-22.13.0", node: "22.13.0", typeorm: "0.3.20", koa: "3.0.0" },
  mature,
  oldest,
];

/** Which rows to run: part of a row's name, and versions or their beginnings. */
export type Choice = { [part in Part | "only"]?: string };

/** The rows that agree with a choice. Where none does, the versions make a row of their own, with the newest of the rest. */
export function chooseRows(choice: Choice): Row[] {
  const rows = ROWS.filter(
    (row) =>
      row.name.includes(choice.only ?? "") &&
      PARTS.every((part) => choice[part] === undefined || isOf(choice[part], row[part])),
  );
  if (rows.length > 0) return rows;
  if (choice.only !== undefined) throw new Error(`No row has ${choice.only} in its name and these versions.`);
  return [{ name: "chosen", ...each((part) => newestOf(part, choice[part])) }];
}

function newestOf(part: Part, version?: string): string {
  const matches = VERSIONS[part].filter((known) => version === undefined || isOf(version, known));
  return matches.at(-1) ?? version!;
}

/** Whether a version is, or begins with, another: 20.19.0 is of 20 and of 20.19, and 2.16.0 is not of 2.1. */
function isOf(beginning: string, version: string): boolean {
  return `${version}.`.startsWith(`${beginning}.`);
}

function each(version: (part: Part) => string): Omit<Row, "name"> {
  return { node: version("node"), typeorm: version("typeorm"), koa: version("koa") };
}
