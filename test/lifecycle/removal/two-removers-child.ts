// A process that removes rows while another one removes the same. Its argument is JSON; it writes JSON.
import { DataSource, type DataSourceOptions, IsNull, Not } from "typeorm";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { Comment, Firm, families } from "./families.js";

/** What such a process is told. */
export interface RemovalOrder {
  /** How it opens the database. */
  options: DataSourceOptions;
  /** The storage's folder. */
  root: string;
  /** Whether one transaction of its own is around it all. */
  isOneTransaction: boolean;
}

/** What an ordinary removal meets as well: a deadlock, and rows that others have changed. */
const CONFLICTS = ["40P01", "40001", "ER_LOCK_DEADLOCK", "ER_CHECKREAD", "SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT"];

const order: RemovalOrder = JSON.parse(process.argv[2]!);
const dataSource = new DataSource({ ...order.options, entities: families, subscribers: [] } as DataSourceOptions);
await dataSource.initialize();
const files = new PrivateFiles(dataSource, { storage: new DiskStorage(order.root) });
const conflicts: Record<string, number> = {};

async function remove(manager = dataSource.manager): Promise<void> {
  await files.remove(Firm, { code: "a" }, { manager });
  await files.remove(Comment, { id: Not(IsNull()) }, { manager });
}

for (let isDone = false; !isDone; ) {
  try {
    if (order.isOneTransaction) {
      await dataSource.transaction(async (manager) => {
        await manager.count(Comment);
        await remove(manager);
      });
    } else await remove();
    isDone = true;
  } catch (error) {
    const { code } = error as { code: string };
    if (!CONFLICTS.includes(code)) throw error;
    conflicts[code] = (conflicts[code] ?? 0) + 1;
  }
}
await dataSource.destroy();
process.stdout.write(JSON.stringify(conflicts));
