import type { DataSourceOptions } from "typeorm";
import { DiskStorage } from "typeorm-private-files";
import { type Depot, leftoversIn, namedIn, violationsIn } from "../support/parcel-check.js";
import { isOurs } from "./changes/change.js";
import type { Findings } from "./figures.js";
import { ForeignObjects } from "./foreign-objects.js";
import type { Keepsakes } from "./keepsakes.js";
import { CopiedKey, openShipments } from "./shipment.js";
import type { Sweeps } from "./sweeps.js";

/** Looks at a database and a storage once the writers have stopped. */
export class Inspections {
  constructor(
    private readonly order: { options: DataSourceOptions; root: string },
    private readonly sweeps: Sweeps,
    private readonly keepsakes: Keepsakes,
    private readonly findings: Findings,
  ) {}

  /** Opens everything once more, and looks at it as the writers left it, after a sweep that was killed, and after two at once. */
  async inspect(): Promise<void> {
    const depot = await this.#open();
    const foreign = new ForeignObjects(depot.storage);
    this.#note("before a sweep", await foreign.missing(), "was deleted by something other than a sweep");
    await this.#check(depot, "before a sweep");
    this.#note("before a sweep", await this.keepsakes.check(depot.dataSource));
    const before = await leftoversIn(depot);
    await this.sweeps.killOne();
    await this.#check(depot, "after a sweep that was killed");
    await this.sweeps.all();
    await this.#check(depot, "after two sweeps at once");
    this.#compare(before, await leftoversIn(depot));
    this.#note("after two sweeps", (await foreign.missing()).filter(ForeignObjects.isKept), "was deleted");
    await foreign.put();
    await depot.dataSource.destroy();
  }

  async #open(): Promise<Depot> {
    return { dataSource: await openShipments(this.order.options), storage: new DiskStorage(this.order.root) };
  }

  async #check(depot: Depot, when: string): Promise<void> {
    this.#note(when, await violationsIn(depot));
    const copied = new Set((await depot.dataSource.manager.find(CopiedKey)).map(({ key }) => key));
    const shared = (await namedIn(depot)).filter((key, index, keys) => keys.indexOf(key) !== index);
    const wrong = shared.filter((key) => isOurs({ key }) && !copied.has(key));
    this.#note(when, wrong, "is named by two rows, and no raw SQL has copied it");
  }

  #compare(before: Leftovers, after: Leftovers): void {
    const { findings } = this;
    const orphans = after.orphans.filter((key) => !ForeignObjects.isKept(key));
    findings.inspections++;
    findings.keepsakes = this.keepsakes.checked;
    findings.orphans += before.orphans.filter((key) => isOurs({ key })).length;
    findings.incomplete += before.incomplete.length;
    this.#note("after two sweeps", [...orphans, ...after.incomplete], "is left");
  }

  #note(when: string, subjects: string[], problem = ""): void {
    for (const subject of subjects) this.findings.violations.push(`${when}: ${subject} ${problem}`.trim());
  }
}

type Leftovers = Awaited<ReturnType<typeof leftoversIn>>;
