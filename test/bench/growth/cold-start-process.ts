// The start of an application. Its arguments: a folder for itself, how many private columns there are. What it imports before it is
// told to is what every application with TypeORM and Koa has; that is imported in the same way, as the first import() pays for all.
import { join } from "node:path";
import type { ColdStart } from "./cold-start.js";

const [folder, columns] = process.argv.slice(2) as [string, string];
const started = performance.now();
await import("reflect-metadata");
await import("typeorm");
await import("koa");
const began = performance.now();
const { DiskStorage, PrivateFiles } = await import("typeorm-private-files");
const importing = performance.now() - began;

// These import the package themselves.
const { openDatabase } = await import("../open-database.js");
const { otherEntities } = await import("../other-entities.js");
const { dataSource, close } = await openDatabase("better-sqlite3", folder, {
  entities: otherEntities(Number(columns)),
});

const continued = performance.now();
new PrivateFiles(dataSource, { storage: new DiskStorage(join(folder, "files")) }).routes();
const building = performance.now() - continued;

await close();
const without = began - started;
process.send!({
  without: without / 1000,
  importing: importing / 1000,
  building: building / 1000,
} satisfies ColdStart);
process.disconnect();
