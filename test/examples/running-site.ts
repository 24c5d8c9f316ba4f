import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataSource } from "typeorm";
import { DiskStorage, PrivateFiles } from "typeorm-private-files";
import { entities, subscribers } from "../../docs/examples/site/models/models.js";
import { prepareDatabase } from "../../docs/examples/site/people.js";
import { createSite } from "../../docs/examples/site/site.js";

/** The example site on a port of its own, with an empty database in memory and empty folders. */
export interface RunningSite {
  url: string;
  dataSource: DataSource;
  filesRoot: string;
  /** What the site wrote to its log. */
  failures: unknown[];
  stop(): Promise<void>;
}

/** Starts the site as `main.ts` does. */
export async function startSite(): Promise<RunningSite> {
  const filesRoot = await mkdtemp(join(tmpdir(), "site-files-"));
  const dataSource = await new DataSource({ type: "sqljs", entities, subscribers }).initialize();
  await prepareDatabase(dataSource);
  const failures: unknown[] = [];
  const files = new PrivateFiles(dataSource, { storage: new DiskStorage(filesRoot) });
  const site = createSite(files, { sessionSecret: "only for tests" });
  site.removeAllListeners("error").on("error", (error) => failures.push(error));
  const server = site.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function stop(): Promise<void> {
    server.close();
    server.closeAllConnections();
    await dataSource.destroy();
    await rm(filesRoot, { recursive: true, maxRetries: 3 });
  }
  return { url, dataSource, filesRoot, failures, stop };
}
