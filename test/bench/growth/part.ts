import type { Outcome } from "../aims.js";
import type { Workbench } from "../workbench.js";

/** One thing that grows, and what that costs. */
export interface Part {
  /** What it is called on the command line. */
  name: string;
  measure(workbench: Workbench): Promise<Section>;
}

/** What a part found. */
export interface Section {
  title: string;
  outcomes: Outcome[];
  /** Markdown: how it was measured, and a table. */
  text: string;
}
