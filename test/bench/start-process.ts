// A process that imports the packages which every application with TypeORM and Koa has, then this package. All are imported with
// import(), as its first call costs extra.
import type { Start } from "./start.js";

const began = cpu();
await import("reflect-metadata");
await import("typeorm");
await import("koa");
const between = cpu();
await import("typeorm-private-files");
const ended = cpu();

process.send!({ peers: between - began, ours: ended - between } satisfies Start);
process.disconnect();

/** The CPU that the process has used, in seconds: an import waits for nothing else while its files are in the page cache. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
