import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DataSource, type DataSourceOptions } from "typeorm";
import { DiskStorage, PrivateFiles, type SweepReport } from "typeorm-private-files";
import { eventually } from "../support/eventually.js";
import { Parcel } from "../support/parcel.js";
import { type Depot, leftoversIn, violationsIn } from "../support/parcel-check.js";
import type { Random } from "./random.js";
import type { SweeperOrder } from "./sweeper.js";

const SWEEPER = fileURLToPath(new URL("./sweeper.js", import.meta.url));
/** Seconds that no change takes from its first upload to its commit. */
const GRACE = 60;
/** About how many milliseconds a sweep takes. */
const LONGEST_SWEEP = 100;

/** What inspections have found. */
export interface Findings {
  inspections: number;
  /** Objects that no row named. */
  orphans: number;
  /** What uploads had left that never got a key. */
  incomplete: number;
  /** What of both was gone after a sweep. */
  swept: { orphans: number; incomplete: number };
  /** Sweeps that did not come to their end. */
  killedSweeps: number;
  /** What must not be, in words. */
  violations: string[];
}

/** Looks at a database and a storage, and sweeps. */
export class Inspections {
  readonly findings: Findings = {
    ...{ inspections: 0, orphans: 0, incomplete: 0, killedSweeps: 0, violations: [] },
    swept: { orphans: 0, incomplete: 0 },
  };

  constructor(
    private readonly order: SweeperOrder,
    private readonly random: Random,
  ) {}

  /** Sweeps what is older than any change that is under way. */
  async sweepBesideWriters(): Promise<void> {
    const depot = await this.#open();
    const { removed } = await this.#sweep(depot, GRACE);
    this.findings.orphans += removed;
    this.findings.swept.orphans += removed;
    await depot.dataSource.destroy();
  }

  /** Opens everything anew and looks at it while nobody writes: as the writers left it, after a sweep that was killed, after two at once. */
  async inspect(): Promise<void> {
    const depots = [await this.#open(), await this.#open()] as const;
    const [depot] = depots;
    await untilAlone(depot.dataSource);
    const before = await leftoversIn(depot);
    await this.#check(depot, "before a sweep");
    await this.#sweepAndKill();
    await this.#check(depot, "after a sweep that was killed");
    await Promise.all(depots.map((one) => this.#sweep(one, 0)));
    await this.#check(depot, "after two sweeps at once");
    this.#compare(before, await leftoversIn(depot));
    await Promise.all(depots.map(({ dataSource }) => dataSource.destroy()));
  }

  async #open(): Promise<Depot> {
    const dataSource = new DataSource({ ...this.order.options, entities: [Parcel] } as DataSourceOptions);
    return { dataSource: await dataSource.initialize(), storage: new DiskStorage(this.order.root) };
  }

  async #check(depot: Depot, when: string): Promise<void> {
    for (const violation of await violationsIn(depot)) this.findings.violations.push(`${when}: ${violation}`);
  }

  async #sweepAndKill(): Promise<void> {
    const sweeper = fork(SWEEPER, [JSON.stringify(this.order)], {
      execArgv: [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const exit = once(sweeper, "exit");
    await Promise.race([once(sweeper, "message"), exit]);
    await sleep(this.random.below(LONGEST_SWEEP));
    sweeper.kill("SIGKILL");
    const [code, signal] = await exit;
    if (signal === "SIGKILL") this.findings.killedSweeps++;
    else if (code !== 0) this.findings.violations.push(`a sweep ended with ${signal ?? code}`);
  }

  async #sweep({ dataSource, storage }: Depot, olderThan: number): Promise<SweepReport> {
    const files = new PrivateFiles(dataSource, { storage });
    const report = await files.sweep({ olderThan, dryRun: false, force: true });
    // A sweep leaves the last hour to uploads that are under way.
    await storage.removeIncomplete(new Date(Date.now() - olderThan * 1000 + 1000));
    if (report.missing > 0) this.findings.violations.push(`a sweep found ${report.missing} rows without a file`);
    if (report.failed > 0) this.findings.violations.push(`a sweep could not remove ${report.failed} objects`);
    return report;
  }

  #compare(before: Leftovers, after: Leftovers): void {
    const { findings } = this;
    findings.inspections++;
    findings.orphans += before.orphans.length;
    findings.incomplete += before.incomplete.length;
    findings.swept.orphans += before.orphans.length - after.orphans.length;
    findings.swept.incomplete += before.incomplete.length - after.incomplete.length;
    for (const left of [...after.orphans, ...after.incomplete]) findings.violations.push(`a sweep left ${left}`);
  }
}

type Leftovers = Awaited<ReturnType<typeof leftoversIn>>;

/** PostgreSQL finishes what a process had asked for before it was killed. */
async function untilAlone(dataSource: DataSource): Promise<void> {
  if (dataSource.options.type !== "postgres") return;
  await eventually(async () => {
    const others = await dataSource.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()",
    );
    if (others.length > 0) throw new Error(`${others.length} connections are still at work`);
  });
}
