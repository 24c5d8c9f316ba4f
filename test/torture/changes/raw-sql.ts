import type { EntityManager } from "typeorm";
import { dataSourceOf } from "../../../src/column/data-source.js";
import { Shipment } from "../shipment.js";
import { fill, type Kind, rawSql, someShipments } from "./change.js";

/** Statements that the package is told little of. They leave orphans, and may never cost a row its file. */
export const RAW_SQL: Kind[] = [
  {
    name: "raw UPDATE that takes a file out",
    weight: 2,
    async prepare(site) {
      const [shipment] = await someShipments(site, 1);
      const sql = "UPDATE [shipment] SET [letter] = NULL, [letterSeal] = NULL WHERE [id] = ?";
      return shipment && ((manager) => rawSql(manager, sql, [shipment.id]));
    },
  },
  {
    name: "raw UPDATE with an upload",
    weight: 2,
    async prepare(site) {
      const [shipment] = await someShipments(site, 1);
      if (!shipment) return undefined;
      await fill(site, shipment, "letter");
      const values = [shipment.letter!.key, shipment.letterSeal, shipment.id];
      const sql = "UPDATE [shipment] SET [letter] = ?, [letterSeal] = ? WHERE [id] = ?";
      return (manager) => rawSql(manager, sql, values);
    },
  },
  {
    name: "update with an upload",
    weight: 2,
    async prepare(site) {
      const [shipment] = await someShipments(site, 1);
      if (!shipment) return undefined;
      await fill(site, shipment, "letter");
      const { id, letter, letterSeal } = shipment;
      return (manager) => manager.update(Shipment, id, { letter, letterSeal });
    },
  },
  {
    name: "raw DELETE",
    weight: 1,
    removes: true,
    async prepare(site) {
      const [shipment] = await someShipments(site, 1);
      return shipment && ((manager) => rawSql(manager, "DELETE FROM [shipment] WHERE [id] = ?", [shipment.id]));
    },
  },
  {
    name: "raw INSERT … SELECT of a key",
    weight: 2,
    async prepare(site) {
      const [shipment] = (await someShipments(site, 3)).filter(({ letter }) => letter !== null);
      return shipment && ((manager) => manager.transaction((inner) => copyKey(inner, shipment.id)));
    },
  },
];

/** The row that has the key is locked: else its removal could end before the copy is committed, and with it the file. */
async function copyKey(manager: EntityManager, id: number): Promise<void> {
  const lock =
    { postgres: "FOR SHARE", mariadb: "LOCK IN SHARE MODE" }[dataSourceOf(manager).options.type as string] ?? "";
  const known = "SELECT 1 FROM [copied_key] WHERE [key] = [letter]";
  const source = `FROM [shipment] WHERE [id] = ? AND [letter] IS NOT NULL`;
  await rawSql(
    manager,
    `INSERT INTO [copied_key] ([key]) SELECT [letter] ${source} AND NOT EXISTS (${known}) ${lock}`,
    [id],
  );
  await rawSql(
    manager,
    `INSERT INTO [shipment] ([letter], [letterSeal]) SELECT [letter], [letterSeal] ${source} ${lock}`,
    [id],
  );
}
