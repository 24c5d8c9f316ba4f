import { basename } from "node:path/posix";
import type { Parcel, Part } from "../../support/parcel.js";
import { Shipment } from "../shipment.js";
import { fill, type Kind, newShipment, Rollback, rawSql, type Site, someShipments } from "./change.js";

/**
 * Rows that get an object which is in the storage already. Of this package's own objects only those of this process that no other
 * can know: an orphan that another process or a sweep may take for one must not be adopted.
 */
export const ADOPTIONS: Kind[] = [
  {
    name: "adopt of a foreign object",
    weight: 5,
    isRepeatable: true,
    async prepare(site) {
      const [known] = site.random.chance(0.6) ? await someShipments(site, 1) : [];
      const shipment = known ?? site.manager.create(Shipment, {});
      const key = site.random.pick(site.foreign);
      // TypeORM would write the key alone where the row has a copy, whose seal is the same.
      if (shipment.letterSeal === basename(key, ".bin")) return undefined;
      await adopt(site, shipment, "letter", key);
      return (manager) => manager.save(shipment);
    },
  },
  {
    name: "adopt of an upload that was not saved",
    isUnshared: true,
    weight: 2,
    isRepeatable: true,
    async prepare(site) {
      const heir = await inheritFrom(site, await newShipment(site));
      return (manager) => manager.save(heir);
    },
  },
  {
    name: "adopt of an upload that was rolled back",
    isUnshared: true,
    weight: 2,
    isRepeatable: true,
    async prepare(site) {
      const heir = await inheritFrom(site, await rolledBack(site));
      return (manager) => manager.save(heir);
    },
  },
  {
    name: "adopt of an orphan of raw SQL",
    isUnshared: true,
    weight: 2,
    isRepeatable: true,
    async prepare(site) {
      const shipment = site.manager.create(Shipment, {});
      await fill(site, shipment, "letter");
      // No other process sees the row before it has lost its file.
      await site.manager.transaction(async (manager) => {
        await manager.save(shipment);
        await rawSql(manager, "UPDATE [shipment] SET [letter] = NULL, [letterSeal] = NULL WHERE [id] = ?", [
          shipment.id,
        ]);
      });
      const heir = await inheritFrom(site, shipment);
      return (manager) => manager.save(heir);
    },
  },
  {
    name: "save of an upload that another row has adopted",
    weight: 2,
    expects: "ERR_PRIVATE_FILE_OTHER_ROW",
    async prepare(site) {
      const shipment = site.random.chance(0.5) ? await newShipment(site) : await rolledBack(site);
      await site.manager.save(await inheritFrom(site, shipment));
      // SQLite may have given its primary key to another row since.
      Object.assign(shipment, { id: undefined, label: null });
      return (manager) => manager.save(shipment);
    },
  },
];

async function rolledBack(site: Site): Promise<Shipment> {
  const shipment = await newShipment(site);
  shipment.label = null;
  const transaction = site.manager.transaction(async (manager) => {
    await manager.save(shipment);
    throw new Rollback();
  });
  await transaction.catch((error) => {
    if (!(error instanceof Rollback)) throw error;
  });
  return shipment;
}

async function inheritFrom(site: Site, { letter }: Shipment): Promise<Shipment> {
  const heir = site.manager.create(Shipment, {});
  await adopt(site, heir, "letter", letter!.key);
  if (site.random.chance(0.3)) await fill(site, heir, "goods");
  return heir;
}

/** The name of an object is its seal. */
async function adopt({ files }: Site, parcel: Parcel, part: Part, key: string): Promise<void> {
  await files.adopt(parcel, part, key);
  parcel[`${part}Seal`] = basename(key, ".bin");
}
