import { In } from "typeorm";
import { Shipment } from "../shipment.js";
import { type Kind, someShipments } from "./change.js";
import { Violation } from "./refusals.js";

/** `remove` by criteria, which loads the rows and removes them with their files. */
export const CRITERIA: Kind[] = [
  {
    name: "remove by criteria",
    weight: 2,
    removes: true,
    async prepare(site) {
      const shipments = await someShipments(site, 1 + site.random.below(4));
      if (shipments.length === 0) return undefined;
      return async (manager) => {
        const criteria = { id: In(shipments.map(({ id }) => id)) };
        const removed = await site.files.remove(Shipment, criteria, { manager });
        if (removed > shipments.length) throw new Violation(`${removed} of ${shipments.length} rows were removed`);
      };
    },
  },
];
