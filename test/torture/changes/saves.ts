import type { Shipment } from "../shipment.js";
import { type Kind, newShipment, refill, type Site, someShipments } from "./change.js";

/** `save` and `remove` of one or a few entities. */
export const SAVES: Kind[] = [
  {
    name: "save of new rows",
    isUnshared: true,
    weight: 4,
    isRepeatable: true,
    async prepare(site) {
      const shipments: Shipment[] = [];
      for (let count = few(site); count > 0; count--) shipments.push(await newShipment(site));
      return (manager) => manager.save(shipments);
    },
  },
  {
    name: "save of other files",
    weight: 12,
    isRepeatable: true,
    async prepare(site) {
      const shipments = await someShipments(site, few(site));
      if (shipments.length === 0) return undefined;
      for (const shipment of shipments) await refill(site, shipment);
      return (manager) => manager.save(shipments);
    },
  },
  {
    name: "save with chunks",
    weight: 2,
    isRepeatable: true,
    async prepare(site) {
      const shipments = await someShipments(site, 2 + site.random.below(4));
      for (const shipment of shipments) await refill(site, shipment);
      for (let count = 2 + site.random.below(3); count > 0; count--) shipments.push(await newShipment(site));
      const chunk = 1 + site.random.below(3);
      return (manager) => manager.save(shipments, { chunk });
    },
  },
  {
    name: "remove",
    weight: 4,
    removes: true,
    async prepare(site) {
      const shipments = await someShipments(site, few(site));
      return shipments.length === 0 ? undefined : (manager) => manager.remove(shipments);
    },
  },
];

function few({ random }: Site): number {
  return random.chance(0.7) ? 1 : 2 + random.below(3);
}
