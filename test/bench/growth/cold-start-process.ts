// The start of an application. Its arguments: a folder for itself, how many private columns there are. What it imports before it is
// told to is what every application with TypeORM and Koa has.
import "reflect-metadata";
import { join } from "node:path";
import "koa";
import "typeorm";
import type { ColdStart } from "./cold-start.js";

const [folder, columns] = process.argv.slice(2) as [string, string];
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
process.send!({ importing: importing / 1000, building: building / 1000 } satisfies ColdStart);
process.disconnect();
