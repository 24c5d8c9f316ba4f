import type { EntityManager } from "typeorm";
import { needsTypeOrm } from "../support/typeorm.js";
import { Customer, Folder, Invoice, Shelf } from "./invoices.js";
import type { Fate, Trial } from "./trial.js";

/** What becomes of a file. */
export interface Outcomes {
  /** When the call succeeds, by itself or in a transaction that is committed. */
  done: Fate;
  /** When its statement fails, outside a transaction of the caller's. Left out where there is no statement that could fail. */
  failed?: Fate;
  /** When the caller's transaction is rolled back, whether a statement failed or not. */
  rolledBack: Fate;
}

/** A call of TypeORM, and what it does to files: a row of the table in docs/lifecycle.md. */
export interface TypeormCall {
  /** How the page names it. */
  call: string;
  /** The files that the call is given. */
  newFile?: Outcomes;
  /** The files that rows name before the call. */
  oldFile?: Outcomes;
  /** Whether the call is refused. */
  isRefused?: boolean;
  /** Whether another program wrote the files that are left: a sweep has to be told of their folder. */
  isForeign?: boolean;
  /** The databases that commit it at once, whatever becomes of the transaction. */
  commitsAtOnce?: string[];
  /** Why the tests are skipped, where they are. */
  skip?: string | false;
  /** Makes all ready, and returns the call. */
  prepare(trial: Trial): Promise<(manager: EntityManager) => Promise<unknown>>;
}

/** The file follows its row. */
const FOLLOWS: Outcomes = { done: "kept", failed: "waits", rolledBack: "waits" };
const GOES: Outcomes = { done: "removed", failed: "kept", rolledBack: "kept" };
const STAYS: Outcomes = { done: "kept", failed: "kept", rolledBack: "kept" };
/** The call tells nothing of the file. */
const UNTOLD: Outcomes = { done: "kept", failed: "left", rolledBack: "left" };
const FORGOTTEN: Outcomes = { done: "left", failed: "kept", rolledBack: "kept" };
/** The call is refused before it sends a statement. */
const REFUSED: Outcomes = { done: "kept", rolledBack: "kept" };

const saves: TypeormCall[] = [
  {
    call: "`save`: a new entity",
    newFile: FOLLOWS,
    async prepare(trial) {
      const invoice = await trial.attached();
      return (manager) => manager.save(invoice);
    },
  },
  {
    call: "`save`: another file",
    newFile: FOLLOWS,
    oldFile: GOES,
    async prepare(trial) {
      const invoice = await trial.replaced();
      return (manager) => manager.save(invoice);
    },
  },
  {
    call: "`save`: `null` in place of the file",
    oldFile: GOES,
    async prepare(trial) {
      const invoice = await trial.saved();
      invoice.scan = null;
      return (manager) => manager.save(invoice);
    },
  },
  {
    call: "`save`: another property",
    oldFile: STAYS,
    async prepare(trial) {
      const invoice = await trial.saved();
      invoice.title = "another";
      return (manager) => manager.save(invoice);
    },
  },
  {
    call: "`save`: no change",
    oldFile: { done: "kept", rolledBack: "kept" },
    async prepare(trial) {
      const invoice = await trial.saved();
      return (manager) => manager.save(invoice);
    },
  },
  {
    call: "`save`: a copy, `{ ...loaded }`",
    oldFile: STAYS,
    async prepare(trial) {
      const invoice = await trial.saved();
      return (manager) => manager.save(Invoice, { ...invoice, title: "another" });
    },
  },
  {
    call: "`save`: another file, where another program wrote the old one",
    newFile: FOLLOWS,
    oldFile: FORGOTTEN,
    isForeign: true,
    async prepare(trial) {
      const invoice = await trial.attached(await trial.savedForeign());
      return (manager) => manager.save(invoice);
    },
  },
  {
    call: "`save`: a file that another program wrote, after `adopt`",
    newFile: UNTOLD,
    isForeign: true,
    async prepare(trial) {
      const invoice = await trial.adopted();
      return (manager) => manager.save(invoice);
    },
  },
  {
    call: "`save`: a file that another row has",
    oldFile: REFUSED,
    isRefused: true,
    async prepare(trial) {
      const { scan } = await trial.saved();
      return (manager) => manager.save(Invoice, { scan });
    },
  },
  {
    call: "`save`: two rows change their files",
    oldFile: REFUSED,
    isRefused: true,
    async prepare(trial) {
      const [one, other] = [await trial.saved(), await trial.saved()];
      [one.scan, other.scan] = [other.scan, one.scan];
      return (manager) => manager.save([one, other]);
    },
  },
  {
    call: "`save`: several entities",
    newFile: FOLLOWS,
    oldFile: GOES,
    async prepare(trial) {
      const invoices = [await trial.attached(), await trial.replaced(), await trial.replaced(), await trial.attached()];
      return (manager) => manager.save(invoices);
    },
  },
  {
    call: "`save` with `{ chunk }`",
    newFile: FOLLOWS,
    oldFile: GOES,
    async prepare(trial) {
      const invoices = [await trial.replaced(), new Invoice()];
      return (manager) => manager.save(invoices, { chunk: 1 });
    },
  },
  {
    call: "`save` with `{ transaction: false }`",
    newFile: FOLLOWS,
    oldFile: GOES,
    async prepare(trial) {
      const invoice = await trial.replaced();
      return (manager) => manager.save(invoice, { transaction: false });
    },
  },
  {
    call: "`save` with `{ listeners: false }`",
    newFile: FOLLOWS,
    oldFile: FORGOTTEN,
    async prepare(trial) {
      const invoice = await trial.replaced();
      return (manager) => manager.save(invoice, { listeners: false });
    },
  },
  {
    call: "`save` after `merge` or `preload`",
    newFile: FOLLOWS,
    oldFile: GOES,
    async prepare(trial) {
      const [merged, { id }] = [await trial.saved(), await trial.saved()];
      const [scan, another] = [await trial.upload(), await trial.upload()];
      return async (manager) => {
        manager.merge(Invoice, merged, { scan });
        return manager.save([merged, (await manager.preload(Invoice, { id, scan: another }))!]);
      };
    },
  },
  {
    call: "`save` by cascade: a new entity",
    newFile: FOLLOWS,
    async prepare(trial) {
      const folder = trial.manager.create(Folder, { invoices: [await trial.attached()] });
      return (manager) => manager.save(folder);
    },
  },
  {
    call: "`save` by cascade: another file",
    newFile: FOLLOWS,
    oldFile: GOES,
    async prepare(trial) {
      const invoice = await trial.replaced({ folder: await trial.manager.save(new Folder()) });
      const folder = invoice.folder!;
      invoice.folder = null;
      folder.invoices = [invoice];
      return (manager) => manager.save(folder);
    },
  },
  {
    call: '`save` with `orphanedRowAction: "delete"`',
    oldFile: GOES,
    async prepare(trial) {
      const { folder } = await trial.saved({ folder: await trial.manager.save(new Folder()) });
      folder!.invoices = [];
      return (manager) => manager.save(folder!);
    },
  },
  {
    call: '`save` with `orphanedRowAction: "nullify"`',
    oldFile: STAYS,
    async prepare(trial) {
      const { shelf } = await trial.saved({ shelf: await trial.manager.save(new Shelf()) });
      shelf!.invoices = [];
      return (manager) => manager.save(shelf!);
    },
  },
];

const removals: TypeormCall[] = [
  {
    call: "`remove`",
    oldFile: GOES,
    async prepare(trial) {
      const invoice = await trial.saved();
      return (manager) => manager.remove(invoice);
    },
  },
  {
    call: "`remove` by cascade",
    skip: needsTypeOrm("1.0.0"),
    oldFile: GOES,
    async prepare(trial) {
      const { folder } = await trial.saved({ folder: await trial.manager.save(new Folder()) });
      return async (manager) =>
        manager.remove(
          await manager.findOneOrFail(Folder, { where: { id: folder!.id }, relations: { invoices: true } }),
        );
    },
  },
  {
    call: "`remove` with `{ listeners: false }`",
    oldFile: FORGOTTEN,
    async prepare(trial) {
      const invoice = await trial.saved();
      return (manager) => manager.remove(invoice, { listeners: false });
    },
  },
  {
    call: "`files.remove(Entity, criteria)`",
    oldFile: GOES,
    async prepare(trial) {
      const { id } = await trial.saved();
      return (manager) => trial.files.remove(Invoice, { id }, { manager });
    },
  },
  {
    call: "`files.remove(Entity, criteria)`, with the database's own `ON DELETE CASCADE`",
    oldFile: GOES,
    async prepare(trial) {
      const { customer } = await trial.saved({ customer: await trial.manager.save(new Customer()) });
      return (manager) => trial.files.remove(Customer, customer!.id, { manager });
    },
  },
  {
    call: "`softRemove`",
    oldFile: STAYS,
    async prepare(trial) {
      const invoice = await trial.saved();
      return (manager) => manager.softRemove(invoice);
    },
  },
  {
    call: "`recover`",
    oldFile: STAYS,
    async prepare(trial) {
      const invoice = await trial.manager.softRemove(await trial.saved());
      return (manager) => manager.recover(invoice);
    },
  },
];

const statements: TypeormCall[] = [
  {
    call: "`insert`",
    newFile: FOLLOWS,
    async prepare(trial) {
      const invoice = await trial.attached();
      return (manager) => manager.insert(Invoice, invoice);
    },
  },
  {
    call: "`insert` of a file that a row has",
    oldFile: REFUSED,
    isRefused: true,
    async prepare(trial) {
      const { scan } = await trial.saved();
      return (manager) => manager.insert(Invoice, { scan });
    },
  },
  {
    call: "`insert`, with `orIgnore`, of a row that is there",
    newFile: { done: "waits", failed: "waits", rolledBack: "waits" },
    oldFile: STAYS,
    async prepare(trial) {
      await trial.saved({ number: "7" });
      const scan = await trial.upload();
      return (manager) =>
        manager.createQueryBuilder().insert().into(Invoice).values({ number: "7", scan }).orIgnore().execute();
    },
  },
  {
    call: "`upsert`: a new row",
    newFile: FOLLOWS,
    async prepare(trial) {
      const scan = await trial.upload();
      return (manager) => manager.upsert(Invoice, { number: "7", scan }, ["number"]);
    },
  },
  {
    call: "`upsert`: a row that is there",
    newFile: FOLLOWS,
    oldFile: FORGOTTEN,
    async prepare(trial) {
      await trial.saved({ number: "7" });
      const scan = await trial.upload();
      return (manager) => manager.upsert(Invoice, { number: "7", scan }, ["number"]);
    },
  },
  {
    call: "`upsert` of a file that a row has, be it the same row",
    oldFile: REFUSED,
    isRefused: true,
    async prepare(trial) {
      const { scan } = await trial.saved({ number: "7" });
      return (manager) => manager.upsert(Invoice, { number: "7", scan }, ["number"]);
    },
  },
  {
    call: "`update`",
    newFile: FOLLOWS,
    oldFile: FORGOTTEN,
    async prepare(trial) {
      const [{ id }, scan] = [await trial.saved(), await trial.upload()];
      return (manager) => manager.update(Invoice, { id }, { scan });
    },
  },
  {
    call: "`update`, where no row is",
    newFile: { done: "waits", rolledBack: "waits" },
    async prepare(trial) {
      const scan = await trial.upload();
      return (manager) => manager.update(Invoice, { number: "no such" }, { scan });
    },
  },
  {
    call: "`updateAll`, where one row is",
    skip: needsTypeOrm("0.3.24"),
    newFile: FOLLOWS,
    oldFile: FORGOTTEN,
    async prepare(trial) {
      await trial.saved();
      const scan = await trial.upload();
      return (manager) => manager.updateAll(Invoice, { scan });
    },
  },
  {
    call: "`update` of a row with its own file and its primary key, `{ ...loaded }`",
    oldFile: STAYS,
    async prepare(trial) {
      const { folder: _folder, shelf: _shelf, customer: _customer, ...loaded } = await trial.saved();
      return (manager) => manager.update(Invoice, { id: loaded.id }, { ...loaded, title: "another" });
    },
  },
  {
    call: "`update` of a row with another row's file",
    oldFile: REFUSED,
    isRefused: true,
    async prepare(trial) {
      const [{ id }, { scan }] = [await trial.saved(), await trial.saved()];
      return (manager) => manager.update(Invoice, { id }, { scan });
    },
  },
  {
    call: "`update` of another property, `increment`, `decrement`",
    oldFile: STAYS,
    async prepare(trial) {
      const { id } = await trial.saved();
      return async (manager) => {
        await manager.update(Invoice, { id }, { title: "another" });
        await manager.increment(Invoice, { id }, "pages", 2);
        await manager.decrement(Invoice, { id }, "pages", 1);
      };
    },
  },
  {
    call: "`delete`",
    oldFile: FORGOTTEN,
    async prepare(trial) {
      const { id } = await trial.saved();
      return (manager) => manager.delete(Invoice, { id });
    },
  },
  {
    call: "`deleteAll`",
    skip: needsTypeOrm("0.3.24"),
    oldFile: FORGOTTEN,
    async prepare(trial) {
      await trial.saved();
      await trial.saved();
      return (manager) => manager.deleteAll(Invoice);
    },
  },
  {
    call: "`softDelete`",
    oldFile: STAYS,
    async prepare(trial) {
      const { id } = await trial.saved();
      return (manager) => manager.softDelete(Invoice, { id });
    },
  },
  {
    call: "`restore`",
    oldFile: STAYS,
    async prepare(trial) {
      const { id } = await trial.manager.softRemove(await trial.saved());
      return (manager) => manager.restore(Invoice, { id });
    },
  },
  {
    call: "`clear`",
    oldFile: FORGOTTEN,
    commitsAtOnce: ["MariaDB"],
    async prepare(trial) {
      await trial.saved();
      return (manager) => manager.clear(Invoice);
    },
  },
];

const builders: TypeormCall[] = [
  {
    call: "the query builder's `insert`",
    newFile: FOLLOWS,
    async prepare(trial) {
      const scan = await trial.upload();
      return (manager) => manager.createQueryBuilder().insert().into(Invoice).values({ scan }).execute();
    },
  },
  {
    call: "the query builder's `update`",
    newFile: FOLLOWS,
    oldFile: FORGOTTEN,
    async prepare(trial) {
      const [{ id }, scan] = [await trial.saved(), await trial.upload()];
      return (manager) => manager.createQueryBuilder().update(Invoice).set({ scan }).where({ id }).execute();
    },
  },
  {
    call: "the query builder's `delete`",
    oldFile: FORGOTTEN,
    async prepare(trial) {
      const { id } = await trial.saved();
      return (manager) => manager.createQueryBuilder().delete().from(Invoice).where({ id }).execute();
    },
  },
  {
    call: "the query builder's `softDelete`",
    oldFile: STAYS,
    async prepare(trial) {
      const { id } = await trial.saved();
      return (manager) => manager.createQueryBuilder().softDelete().from(Invoice).where({ id }).execute();
    },
  },
  {
    call: "a query builder with `callListeners(false)`",
    newFile: FOLLOWS,
    oldFile: FORGOTTEN,
    async prepare(trial) {
      const [{ id }, scan] = [await trial.saved(), await trial.upload()];
      return (manager) =>
        manager.createQueryBuilder().update(Invoice).set({ scan }).where({ id }).callListeners(false).execute();
    },
  },
  {
    call: "the database's own `ON DELETE CASCADE`",
    oldFile: FORGOTTEN,
    async prepare(trial) {
      const { customer } = await trial.saved({ customer: await trial.manager.save(new Customer()) });
      return (manager) => manager.remove(customer!);
    },
  },
  {
    call: "SQL of your own: `UPDATE`",
    newFile: UNTOLD,
    oldFile: FORGOTTEN,
    async prepare(trial) {
      const [{ id }, { key }] = [await trial.saved(), await trial.upload()];
      return (manager) => manager.query(`UPDATE invoice SET scan = '${key}' WHERE id = ${id}`);
    },
  },
  {
    call: "SQL of your own: `DELETE`",
    oldFile: FORGOTTEN,
    async prepare(trial) {
      const { id } = await trial.saved();
      return (manager) => manager.query(`DELETE FROM invoice WHERE id = ${id}`);
    },
  },
];

/** Every call of TypeORM that changes rows, in the order of the page. */
export const typeormCalls: TypeormCall[] = [...saves, ...removals, ...statements, ...builders];
