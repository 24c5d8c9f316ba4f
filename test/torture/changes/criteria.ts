import { type FindOptionsWhere, In } from "typeorm";
import type { PrivateFiles } from "typeorm-private-files";
import { Shipment } from "../shipment.js";
import { type Kind, someShipments } from "./change.js";
import { Violation } from "./refusals.js";

/** `PrivateFiles` with `remove`, where it has that. */
interface Removing {
  remove?(entity: typeof Shipment, criteria: FindOptionsWhere<Shipment>): Promise<number>;
}

/** `remove` by criteria, which loads the rows and removes them with their files. */
export const CRITERIA: Kind[] = [
  {
    name: "remove by criteria",
    weight: 2,
    isAlone: true,
    removes: true,
    async prepare(site) {
      const { files } = site;
      const shipments = await someShipments(site, 1 + site.random.below(4));
      if (shipments.length === 0 || !hasRemove(files)) return undefined;
      return async () => {
        const removed = await files.remove(Shipment, { id: In(shipments.map(({ id }) => id)) });
        if (removed > shipments.length) throw new Violation(`${removed} of ${shipments.length} rows were removed`);
      };
    },
  },
];

function hasRemove(files: PrivateFiles & Removing): files is PrivateFiles & Required<Removing> {
  return files.remove !== undefined;
}
