import type { Deed } from "./changes/deeds.js";

/** How often each kind of change ended in each way. */
export class Tally {
  readonly #counts = new Map<string, Map<string, number>>();

  add([name, outcome]: Deed): void {
    const counts = this.#counts.get(name) ?? new Map<string, number>();
    this.#counts.set(name, counts.set(outcome, (counts.get(outcome) ?? 0) + 1));
  }

  /** How often a kind, or any, ended in a way. */
  count(outcome: string, name?: string): number {
    const some = name === undefined ? [...this.#counts.values()] : [this.#counts.get(name)];
    return some.reduce((sum, counts) => sum + (counts?.get(outcome) ?? 0), 0);
  }

  /** A line for each kind. */
  lines(): string[] {
    const names = [...this.#counts.keys()].sort();
    return names.map((name) => {
      const counts = [...this.#counts.get(name)!].sort(([, a], [, b]) => b - a);
      return `${name}: ${counts.map(([outcome, count]) => `${outcome} ${count}`).join(", ")}`;
    });
  }
}

/** What the writers have done. */
export interface Work {
  deeds: Tally;
  /** Warnings of the package, by their beginnings. */
  warnings: Tally;
  /** Violations that writers noticed, in words. */
  failures: string[];
}

/** What inspections have found. */
export interface Findings {
  inspections: number;
  /** Objects that no row named when the writers had stopped. */
  orphans: number;
  /** What uploads had left that never got a key. */
  incomplete: number;
  /** Sweeps, by how they ended, and what those beside the writers removed. */
  sweeps: Tally;
  sweptBesideWriters: number;
  /** Rows of one writer that were compared with what it had told. */
  keepsakes: number;
  /** Violations, in words. */
  violations: string[];
}

/** What came of a torture. */
export interface Figures {
  kills: number;
  /** Connections that were killed on the server. */
  backends: number;
  work: Work;
  findings: Findings;
  /** Violations, in words. */
  violations: string[];
}

/** Figures for people. */
export function linesOf({ kills, backends, work, findings, violations }: Figures): string[] {
  return [
    `${kills} writers and ${backends} connections killed`,
    ...work.deeds.lines().map((line) => `  ${line}`),
    ...work.warnings.lines().map((line) => `  warning: ${line}`),
    ...findings.sweeps.lines(),
    `${findings.sweptBesideWriters} orphans swept beside writers`,
    `${findings.inspections} inspections of ${findings.orphans} orphans and ${findings.incomplete} incomplete uploads`,
    `${findings.keepsakes} rows compared with what their writers had told`,
    `${violations.length} violations`,
    ...violations.map((violation) => `  ${violation}`),
  ];
}
