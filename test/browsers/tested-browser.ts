import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, afterEach, before, beforeEach } from "../support/suite.js";
import type { DrivenBrowser } from "./driven-browser.js";
import { type ExhibitSite, startExhibitSite } from "./exhibits.js";

/** One of the browsers that are tested. */
export interface TestedBrowser {
  name: string;
  launch(): Promise<DrivenBrowser>;
  /** Why its tests are skipped; `false` where they run. */
  skip: string | false;
  /** Whether it loads a film that nobody plays as fast as it can, from the start to the end or until it is to seek. */
  loadsOn: boolean;
}

/** Starts a browser and a site before the tests of a suite, and stops them after. Whatever a test has saved it takes out of the folder. */
export function withBrowser({ launch }: TestedBrowser): { browser: DrivenBrowser; site: ExhibitSite } {
  const started = {} as { browser: DrivenBrowser; site: ExhibitSite };
  before(async () => {
    started.site = await startExhibitSite();
    started.browser = await launch();
  });
  after(async () => {
    await started.browser?.close();
    await started.site?.close();
  });
  beforeEach(() => started.site.forget());
  afterEach(async () => assert.deepEqual(await readdir(started.browser.downloads), [], "more was saved"));
  return started;
}
