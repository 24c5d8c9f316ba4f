import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { type EntityManager, In, type QueryRunner } from "typeorm";
import type { PrivateFiles } from "typeorm-private-files";
import { dataSourceOf } from "../../../src/column/data-source.js";
import { PARTS, type Parcel, type Part, putInto, takeOut } from "../../support/parcel.js";
import type { Random } from "../random.js";
import { Shipment } from "../shipment.js";

/** About how many rows there are: few enough that processes meet. */
export const ROWS = 20;
const LARGEST = 2 ** 20;
const CHUNK = 64 * 1024;

/** The seal that the file of a writer's own row may have from now on, or has. */
export interface KeepsakeNews {
  owner: string;
  seal: string;
  is: "begun" | "committed";
}

/** Where changes are made. */
export interface Site {
  random: Random;
  files: PrivateFiles;
  /** For what is read before a transaction begins. */
  manager: EntityManager;
  /** Keys of objects that this package did not write. */
  foreign: readonly string[];
  /** The name of this writer, which its own row has. */
  owner: string;
  /** Tells of that row, and waits until it is told. */
  tell(news: KeepsakeNews): Promise<void>;
  /** Counts something beside the changes themselves. */
  note(name: string, outcome: string): void;
}

/** What to do once the uploads are in the storage. */
export type Step = (manager: EntityManager) => Promise<unknown>;

/** A kind of change. */
export interface Kind {
  name: string;
  /** How often it comes, beside the others. */
  weight: number;
  /** Picks rows and writes uploads. `undefined` when there is nothing that it could change. */
  prepare(site: Site): Promise<Step | undefined>;
  /** The code with which its step must be refused. (default: it must not) */
  expects?: string;
  /** Codes with which it may fail, because another process was faster. (default: none) */
  mayFailWith?: string[];
  /** Whether no other process knows its rows, so that nothing it saves can be stale. (default: `false`) */
  isUnshared?: boolean;
  /** Whether the same entities can be saved again after a rollback. (default: `false`) */
  isRepeatable?: boolean;
  /** Whether it begins its own transactions, and so can't be a part of one. (default: `false`) */
  isAlone?: boolean;
  /** Whether it leaves fewer rows. (default: `false`) */
  removes?: boolean;
}

/** A change that wants to be undone. */
export class Rollback extends Error {}

/** Some shipments, as they are now. */
export async function someShipments({ manager, random }: Site, count: number, hasItems = false): Promise<Shipment[]> {
  const rows = await manager.find(Shipment, { select: { id: true } });
  const ids = new Set<number>();
  while (ids.size < Math.min(count, rows.length)) ids.add(random.pick(rows).id);
  return manager.find(Shipment, { where: { id: In([...ids]) }, relations: { items: hasItems } });
}

/** A new shipment with a file or two. */
export async function newShipment(site: Site): Promise<Shipment> {
  const { random, manager } = site;
  const label = random.chance(0.5) ? `label ${random.below(ROWS)}` : null;
  const shipment = manager.create(Shipment, { label });
  await fill(site, shipment, "letter");
  if (random.chance(0.5)) await fill(site, shipment, "goods");
  return shipment;
}

/** Replaces files of a parcel, or takes them out. */
export async function refill(site: Site, parcel: Parcel): Promise<void> {
  const parts = site.random.chance(0.4) ? PARTS : [site.random.pick(PARTS)];
  for (const part of parts) {
    if (site.random.chance(0.15)) takeOut(parcel, part, site.files);
    else await fill(site, parcel, part);
  }
}

/** Attaches a file of any size, none included, whose bytes take their time. */
export async function fill(
  { random, files }: Pick<Site, "random" | "files">,
  parcel: Parcel,
  part: Part,
): Promise<void> {
  const length = random.chance(0.1) ? 0 : Math.floor(LARGEST ** random.next());
  const bytes = random.bytes(length);
  const note = random.below(2 ** 32).toString(36);
  await putInto(parcel, part, note, bytes, files, Readable.from(slowly(bytes), { objectMode: false }));
}

/** Whether this package wrote a file: another may be in any number of rows. */
export function isOurs(file: { key: string } | null): file is { key: string } {
  return file !== null && !/^(?:imports|archive)\//.test(file.key);
}

/** Sends SQL with `[name]` for names and `?` for values. */
export function rawSql(manager: EntityManager, sql: string, values: unknown[] = []): ReturnType<QueryRunner["query"]> {
  const { driver } = dataSourceOf(manager);
  let index = 0;
  const text = sql
    .replace(/\[(\w+)\]/g, (_, name: string) => driver.escape(name))
    .replace(/\?/g, () => driver.createParameter("value", index++));
  return manager.query(text, values);
}

async function* slowly(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK) {
    await setImmediate();
    yield bytes.subarray(at, at + CHUNK);
  }
}
