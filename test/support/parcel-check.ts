import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { DataSource } from "typeorm";
import type { DiskStorage } from "typeorm-private-files";
import { fingerprint, PARTS, Parcel } from "./parcel.js";

/** A database of parcels and the storage of their files. */
export interface Depot {
  dataSource: DataSource;
  storage: DiskStorage;
}

/** What must never be, whatever was killed: a row without its file, an object that is not whole. In words; nothing if all is well. */
export async function violationsIn({ dataSource, storage }: Depot): Promise<string[]> {
  const contents = new Map<string, string>();
  for await (const { key } of storage.list("")) contents.set(key, fingerprint(await buffer(await storage.read(key))));
  const violations = [...contents].filter(([key, content]) => !key.endsWith(`-${content}.bin`));
  return [
    ...violations.map(([key, content]) => `the object ${key} is ${content}`),
    ...(await parcelsIn(dataSource)).flatMap((parcel) => wrongIn(parcel, contents)),
  ];
}

/** What only a sweep removes: objects that no row names, and what became of uploads that never got a key. */
export async function leftoversIn({
  dataSource,
  storage,
}: Depot): Promise<{ orphans: string[]; incomplete: string[] }> {
  const named = new Set(await namedIn({ dataSource }));
  const orphans: string[] = [];
  for await (const { key } of storage.list("")) if (!named.has(key)) orphans.push(key);
  return { orphans, incomplete: await readdir(join(storage.root, ".incomplete")).catch(() => []) };
}

/** The keys that rows name, each as often as it is named. */
export async function namedIn({ dataSource }: Pick<Depot, "dataSource">): Promise<string[]> {
  const parcels = await parcelsIn(dataSource);
  return parcels.flatMap((parcel) => PARTS.flatMap((part) => parcel[part]?.key ?? []));
}

/** The rows of all entities that are parcels. */
async function parcelsIn({ manager, entityMetadatas }: DataSource): Promise<Parcel[]> {
  const targets = entityMetadatas.map(({ target }) => target as typeof Parcel);
  const kinds = targets.filter((target) => target === Parcel || target.prototype instanceof Parcel);
  return (await Promise.all(kinds.map((kind) => manager.find(kind, { withDeleted: true })))).flat();
}

function wrongIn(parcel: Parcel, contents: Map<string, string>): string[] {
  return PARTS.flatMap((part) => {
    const [file, seal] = [parcel[part], parcel[`${part}Seal`]];
    if (file === null && seal === null) return [];
    const content = file && contents.get(file.key);
    const right = seal !== null && content && seal.endsWith(`-${content}`) && file.name === `${seal}.bin`;
    return right
      ? []
      : [`${parcel.constructor.name} ${parcel.id}: ${part} is ${file?.key}, its seal ${seal}, the object ${content}`];
  });
}
