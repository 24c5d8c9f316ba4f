import { IsNull, Not } from "typeorm";
import { Shipment } from "../shipment.js";
import { type Kind, someShipments } from "./change.js";

/** `softRemove` and `recover`, which leave all files where they are. */
export const SOFT_REMOVALS: Kind[] = [
  {
    name: "softRemove",
    weight: 2,
    async prepare(site) {
      const shipments = await someShipments(site, 1 + site.random.below(2));
      return shipments.length === 0 ? undefined : (manager) => manager.softRemove(shipments);
    },
  },
  {
    name: "recover",
    weight: 2,
    async prepare({ manager, random }) {
      const removed = await manager.find(Shipment, { withDeleted: true, where: { removedAt: Not(IsNull()) } });
      const shipment = removed.length > 0 && random.pick(removed);
      return shipment ? (transaction) => transaction.recover(shipment) : undefined;
    },
  },
  {
    name: "remove of a softly removed row",
    weight: 1,
    removes: true,
    async prepare({ manager, random }) {
      const removed = await manager.find(Shipment, { withDeleted: true, where: { removedAt: Not(IsNull()) } });
      const shipment = removed.length > 0 && random.pick(removed);
      return shipment ? (transaction) => transaction.remove(shipment) : undefined;
    },
  },
];
