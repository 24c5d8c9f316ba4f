import { PARTS } from "../../support/parcel.js";
import { Shipment } from "../shipment.js";
import { type Kind, someShipments } from "./change.js";

/** `copy`, which gives another row or another column a file of its own with the same bytes. */
export const COPIES: Kind[] = [
  {
    name: "copy",
    weight: 4,
    isRepeatable: true,
    // Another process may have replaced the original.
    mayFailWith: ["ERR_PRIVATE_FILE_MISSING", "ERR_PRIVATE_FILE_STORAGE"],
    async prepare(site) {
      const { random, manager, files } = site;
      const [from, known] = await someShipments(site, 2);
      const fromPart = PARTS.find((part) => from?.[part]);
      if (!from || !fromPart) return undefined;
      const to = random.chance(0.2) ? from : random.chance(0.5) && known ? known : manager.create(Shipment, {});
      const toPart = to === from ? PARTS.find((part) => part !== fromPart)! : random.pick(PARTS);
      // TypeORM would write the key alone where the seal is the same.
      if (to[`${toPart}Seal`] === from[`${fromPart}Seal`]) return undefined;
      await files.copy(from, fromPart, to, toPart);
      to[`${toPart}Seal`] = from[`${fromPart}Seal`];
      return (inner) => inner.save(to);
    },
  },
];
