// A process that changes files of letters at random, beside another one. Its argument is JSON; it writes its errors as JSON.
import { setTimeout as sleep } from "node:timers/promises";
import { DataSource, type DataSourceOptions, type EntityManager } from "typeorm";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { Letter } from "./letters.js";

/** What such a process is told. */
export interface ChangeOrder {
  /** How it opens the database. */
  options: DataSourceOptions;
  /** The storage's folder. */
  root: string;
  /** How many transactions it makes. */
  transactions: number;
}

const RETRY_FOR = 0.2;
const LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] as const;

const order: ChangeOrder = JSON.parse(process.argv[2]!);
const dataSource = new DataSource({ ...order.options, entities: [Letter], subscribers: [] } as DataSourceOptions);
await dataSource.initialize();
const files = new PrivateFiles(dataSource, { storage: new DiskStorage(order.root), retryFor: RETRY_FOR });
const errors: Record<string, number> = {};

async function change(manager: EntityManager): Promise<void> {
  const letters = await manager.find(Letter);
  const letter = letters[Math.floor(Math.random() * letters.length)] ?? new Letter();
  const kind = Math.random();
  if (kind < 0.6) await manager.save(await attached(letter));
  else if (kind < 0.7) await manager.save(Object.assign(letter, { scan: null }));
  else if (kind < 0.8 && letter.id) await manager.remove(letter);
  else await manager.save(await attached(new Letter()));
}

async function attached(letter: Letter): Promise<Letter> {
  await files.attach(letter, "scan", Buffer.from("bytes"));
  return letter;
}

async function work(): Promise<void> {
  for (let count = 0; count < order.transactions; count++) {
    const level = order.options.type === "better-sqlite3" ? "SERIALIZABLE" : LEVELS[count % LEVELS.length]!;
    const transaction = dataSource.transaction(level, async (manager) => {
      for (let step = 0; step < 2; step++) await change(manager);
      if (Math.random() < 0.25) throw new Error("undone");
    });
    await transaction.catch(({ code, message }) => {
      errors[code ?? message] = (errors[code ?? message] ?? 0) + 1;
    });
  }
}

await Promise.all(order.options.type === "better-sqlite3" ? [work()] : [work(), work()]);
await sleep(RETRY_FOR * 2000);
await dataSource.destroy();
process.stdout.write(JSON.stringify(errors));
