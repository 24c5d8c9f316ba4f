import { Item, Shipment } from "../shipment.js";
import { fill, type Kind, newShipment, refill, type Site, someShipments } from "./change.js";

/** Rows that TypeORM or the database changes along with others. */
export const CASCADES: Kind[] = [
  {
    name: "cascade: new items",
    weight: 4,
    isRepeatable: true,
    async prepare(site) {
      const [known] = site.random.chance(0.5) ? await someShipments(site, 1, true) : [];
      const shipment = known ?? (await newShipment(site));
      shipment.items = [...(shipment.items ?? []), await newItem(site), await newItem(site)].slice(-4);
      return (manager) => manager.save(shipment);
    },
  },
  {
    name: "cascade: other files of items",
    weight: 3,
    isRepeatable: true,
    async prepare(site) {
      const shipment = await oneWithItems(site);
      if (!shipment) return undefined;
      for (const item of shipment.items) await refill(site, item);
      return (manager) => manager.save(shipment);
    },
  },
  {
    name: "cascade: an item without its shipment is deleted",
    weight: 2,
    isRepeatable: true,
    async prepare(site) {
      const shipment = await oneWithItems(site);
      if (!shipment) return undefined;
      shipment.items = shipment.items.slice(1);
      return (manager) => manager.save(shipment);
    },
  },
  {
    name: "cascade: remove with items",
    weight: 2,
    removes: true,
    async prepare(site) {
      const shipment = await oneWithItems(site);
      return shipment && ((manager) => manager.remove(shipment));
    },
  },
  {
    name: "cascade: the database's own",
    weight: 1,
    removes: true,
    async prepare(site) {
      const shipment = await oneWithItems(site);
      return shipment && ((manager) => manager.delete(Shipment, shipment.id));
    },
  },
];

async function newItem(site: Site): Promise<Item> {
  const item = site.manager.create(Item, {});
  await fill(site, item, "goods");
  return item;
}

async function oneWithItems(site: Site): Promise<Shipment | undefined> {
  const shipments = await someShipments(site, 10, true);
  return shipments.find(({ items }) => items.length > 0);
}
