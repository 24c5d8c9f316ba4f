import { setTimeout as sleep } from "node:timers/promises";
import { type EntityManager, In } from "typeorm";
import { dataSourceOf } from "../../../src/column/data-source.js";
import { Shipment } from "../shipment.js";
import { fill, type Kind, newShipment, Rollback, refill, type Site, someShipments } from "./change.js";
import { codeOf, isConflict, isDuplicate, Violation } from "./refusals.js";

/** Seconds for which writers keep an upload that may be saved again. */
export const RETRY_FOR = 3;

/** Entities that are saved again, with the same uploads, after their first save came to nothing. */
export const RETRIES: Kind[] = [
  {
    name: "save again after a rollback",
    weight: 3,
    isRepeatable: true,
    async prepare(site) {
      const shipments = [await newShipment(site), ...(await someShipments(site, 1))];
      for (const shipment of shipments.slice(1)) await refill(site, shipment);
      await undone(site, shipments);
      return (manager) => manager.save(shipments);
    },
  },
  {
    name: "save again after a unique violation",
    isUnshared: true,
    weight: 3,
    async prepare(site) {
      const shipment = await newShipment(site);
      const label = `of ${site.owner} ${site.random.next()}`;
      return async (manager) => {
        await manager.save(manager.create(Shipment, { label }));
        shipment.label = label;
        await mustBeDuplicate(manager, shipment);
        shipment.label = null;
        await manager.save(shipment);
      };
    },
  },
  {
    name: "save again after a deadlock",
    weight: 1,
    isAlone: true,
    async prepare(site) {
      if (dataSourceOf(site.manager).options.type === "better-sqlite3") return undefined;
      const rows = await someShipments(site, 2);
      if (rows.length < 2) return undefined;
      const { random } = site;
      const [one, other] = [await twins(site, rows), (await twins(site, rows)).reverse()];
      const pauses = [random.below(20), random.below(20)] as const;
      return async () => {
        const both = await Promise.allSettled([again(site, one, pauses[0]), again(site, other, pauses[1])]);
        for (const outcome of both) if (outcome.status === "rejected") throw outcome.reason;
      };
    },
  },
  {
    name: "save of an upload whose time is over",
    weight: 0.5,
    expects: "ERR_PRIVATE_FILE_DISCARDED",
    async prepare(site) {
      const shipment = await newShipment(site);
      await undone(site, [shipment]);
      await sleep(RETRY_FOR * 1000 + 100);
      return (manager) => manager.save(shipment);
    },
  },
];

async function undone({ manager }: Site, shipments: Shipment[]): Promise<void> {
  const transaction = manager.transaction(async (inner) => {
    for (const shipment of shipments) shipment.label = null;
    await inner.save(shipments);
    throw new Rollback();
  });
  await transaction.catch((error) => {
    if (!(error instanceof Rollback)) throw error;
  });
}

async function mustBeDuplicate(manager: EntityManager, shipment: Shipment): Promise<void> {
  try {
    await manager.transaction((inner) => inner.save(shipment));
  } catch (error) {
    if (isDuplicate(error)) return;
    throw error;
  }
  throw new Violation("two rows have one label");
}

/** The same rows once more, with uploads of their own. */
async function twins(site: Site, rows: Shipment[]): Promise<Shipment[]> {
  const loaded = await site.manager.find(Shipment, { where: { id: In(rows.map(({ id }) => id)) } });
  for (const shipment of loaded) await fill(site, shipment, "goods");
  return loaded.sort((a, b) => a.id - b.id);
}

/** Changes rows in their order, so that two who do so in opposite orders wait for each other. */
async function again({ manager, note }: Site, shipments: Shipment[], pause: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await manager.transaction(async (inner) => {
        for (const shipment of shipments) {
          await inner.save(shipment);
          await sleep(pause);
        }
      });
      return;
    } catch (error) {
      if (attempt === 3 || !isConflict(error)) throw error;
      note("deadlock", codeOf(error));
    }
  }
}
