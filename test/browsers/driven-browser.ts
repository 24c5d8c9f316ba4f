/** A browser that a test drives. All that it is asked for, each of the three can do. */
export interface DrivenBrowser {
  /** Its version, as the browser says it. */
  version: string;
  /** Where it saves what it downloads, without asking, under the name that it chooses. */
  downloads: string;
  /** Shows the page of an address, and waits until it is loaded. */
  open(url: string): Promise<void>;
  /** Computes an expression in the page that is shown, or awaits its promise. */
  evaluate(expression: string): Promise<unknown>;
  /** Whether the page that is shown is a PDF with a page on screen. */
  showsPdf(): Promise<boolean>;
  close(): Promise<void>;
}
