// A process that sweeps once. Its argument is JSON.
import { DataSource, type DataSourceOptions } from "typeorm";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { Parcel } from "../support/parcel.js";

/** What such a process is told. */
export interface SweeperOrder {
  /** How it opens the database. */
  options: DataSourceOptions;
  /** The storage's folder. */
  root: string;
}

const order: SweeperOrder = JSON.parse(process.argv[2]!);
const dataSource = new DataSource({ ...order.options, entities: [Parcel] } as DataSourceOptions);
await dataSource.initialize();
const files = new PrivateFiles(dataSource, { storage: new DiskStorage(order.root) });
process.send!("ready");
await files.sweep({ olderThan: 0, dryRun: false, force: true });
process.exit();
