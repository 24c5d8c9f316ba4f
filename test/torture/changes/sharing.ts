import { setTimeout as sleep } from "node:timers/promises";
import { Shipment } from "../shipment.js";
import { fill, isOurs, type Kind, newShipment, rawSql, type Site, type Step, someShipments } from "./change.js";

const expects = "ERR_PRIVATE_FILE_OTHER_ROW";

/** Attempts to put one file into two rows, or a file back that a row had. Each must be refused, whatever other processes do. */
export const SHARING: Kind[] = [
  ofTwoRows("save of another row's file", 2, ([from, to]) => {
    moveLetter(from, to);
    return (manager) => manager.save(to);
  }),
  ofTwoRows("save of two rows that swap their files", 2, ([one, other]) => {
    const { letter, letterSeal } = one;
    moveLetter(other, one);
    Object.assign(other, { letter, letterSeal });
    return (manager) => manager.save([one, other]);
  }),
  ofTwoRows("insert of a loaded file", 1, ([{ letter, letterSeal }]) => {
    return (manager) => manager.insert(Shipment, { letter, letterSeal });
  }),
  ofTwoRows("update with another row's file", 1, ([{ letter, letterSeal }, to]) => {
    return (manager) => manager.update(Shipment, to.id, { letter, letterSeal });
  }),
  ofTwoRows("raw UPDATE with another row's file", 1, ([{ letter, letterSeal }, to]) => {
    const sql = "UPDATE [shipment] SET [letter] = ?, [letterSeal] = ? WHERE [id] = ?";
    return (manager) => rawSql(manager, sql, [letter!.key, letterSeal, to.id]);
  }),
  {
    ...ofTwoRows("save of an entity that was removed", 1, ([shipment]) => async (manager) => {
      await manager.remove(shipment);
      await manager.save(shipment);
    }),
    removes: true,
  },
  ofTwoRows("save of a stale entity", 2, async ([stale], site) => {
    const fresh = await site.manager.findOneBy(Shipment, { id: stale.id });
    if (fresh?.letter?.key !== stale.letter!.key) return undefined;
    await fill(site, fresh, "letter");
    await site.manager.save(fresh);
    return (manager) => manager.save(stale);
  }),
  {
    name: "save of one upload in two rows",
    ...{ weight: 2, expects },
    async prepare(site) {
      const one = await unlabelled(site);
      const other = await unlabelled(site);
      moveLetter(one, other);
      return (manager) => manager.save([one, other]);
    },
  },
  {
    name: "two saves of one upload at once",
    ...{ weight: 1, expects, isAlone: true },
    async prepare(site) {
      const one = await unlabelled(site);
      const other = site.manager.create(Shipment, {});
      moveLetter(one, other);
      const pause = site.random.below(5);
      return async (manager) => {
        const second = sleep(pause).then(() => manager.save(other));
        const outcomes = await Promise.allSettled([manager.save(one), second]);
        for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
      };
    },
  },
];

/** An attempt with two rows that have different files of this package's own. */
function ofTwoRows(
  name: string,
  weight: number,
  prepare: (rows: [Shipment, Shipment], site: Site) => Step | Promise<Step | undefined>,
): Kind {
  return {
    ...{ name, weight, expects },
    async prepare(site) {
      const [one, ...others] = (await someShipments(site, 8)).filter(({ letter }) => isOurs(letter));
      const other = others.find(({ letter }) => letter?.key !== one?.letter?.key);
      return one && other ? prepare([one, other], site) : undefined;
    },
  };
}

async function unlabelled(site: Site): Promise<Shipment> {
  return Object.assign(await newShipment(site), { label: null });
}

function moveLetter({ letter, letterSeal }: Shipment, to: Shipment): void {
  Object.assign(to, { letter, letterSeal });
}
