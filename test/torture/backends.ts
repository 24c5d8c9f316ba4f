import { setTimeout as sleep } from "node:timers/promises";
import { DataSource, type DataSourceOptions } from "typeorm";
import { eventually } from "../support/eventually.js";
import type { Random } from "./random.js";

/** How often a connection with an open transaction is looked for. */
const LOOKS = 5;
/** The milliseconds between two looks: MariaDB says the same within 100. */
const PAUSE = 120;

/** Other connections of this database. */
const OTHERS = {
  postgres: `SELECT pid AS id FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
  mariadb: "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
};
const IN_TRANSACTION = {
  postgres: `${OTHERS.postgres} AND xact_start IS NOT NULL ORDER BY pid`,
  mariadb: `${OTHERS.mariadb} AND id IN (SELECT trx_mysql_thread_id FROM information_schema.innodb_trx) ORDER BY id`,
};
const KILL = { postgres: "SELECT pg_terminate_backend($1)", mariadb: "KILL CONNECTION ?" };

/** Kills connections of a database on its server, while their processes live on. */
export class Backends {
  killed = 0;

  private constructor(
    private readonly dataSource: DataSource,
    private readonly type: keyof typeof KILL,
    private readonly random: Random,
  ) {}

  /** `undefined` for a database without a server. */
  static async open(options: DataSourceOptions, random: Random): Promise<Backends | undefined> {
    const { type } = options;
    if (type !== "postgres" && type !== "mariadb") return undefined;
    const dataSource = new DataSource({ ...options, entities: [] } as DataSourceOptions);
    return new Backends(await dataSource.initialize(), type, random);
  }

  /** Kills one that is in a transaction, if there is one soon. */
  async killOne(): Promise<void> {
    for (let look = 0; look < LOOKS; look++) {
      const found: { id: number }[] = await this.dataSource.query(IN_TRANSACTION[this.type]);
      if (found.length > 0) return this.#kill(this.random.pick(found).id);
      await sleep(PAUSE + this.random.below(30));
    }
  }

  /** Waits until there are no others: a server finishes what a process had asked for before it was killed. */
  async untilAlone(): Promise<void> {
    await eventually(async () => {
      const others = await this.dataSource.query(OTHERS[this.type]);
      if (others.length > 0) throw new Error(`${others.length} connections are still open`);
    });
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
  }

  async #kill(id: number): Promise<void> {
    try {
      await this.dataSource.query(KILL[this.type], [id]);
      this.killed++;
    } catch (error) {
      // It has just ended by itself.
      if ((error as { code?: string }).code !== "ER_NO_SUCH_THREAD") throw error;
    }
  }
}
