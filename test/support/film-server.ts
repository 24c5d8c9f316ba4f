// A server with one film in a process of its own, for what would show in the memory or the limits of the test's process.
// Arguments: the film's size in bytes, and the name of the delivery. It is asked over IPC.

import { setTimeout as sleep } from "node:timers/promises";
import { koaSendDelivery, streamDelivery } from "typeorm-private-files";
import { startApplication } from "./application.js";
import { descriptors, Film } from "./film.js";
import { generated } from "./storage-disk.js";

const deliveries = { streamDelivery, koaSendDelivery };
const [size, delivery] = process.argv.slice(2) as [string, keyof typeof deliveries];
const application = await startApplication({ entities: [Film], options: { delivery: deliveries[delivery]() } });
const film = application.dataSource.manager.create(Film, {});
await application.files.attach(film, "file", generated(Number(size)), { filename: "a.mp4" });
await application.dataSource.manager.save(film);

process.on("message", async (question) => {
  if (question === "close") return application.close().then(() => process.exit());
  for (let n = 0; n < 3; n++) {
    global.gc?.();
    // What the collector found is let go of later.
    await sleep(50);
  }
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  // The engine of Node 24 keeps as much again for later; that is in nobody's use.
  const kept = Number.parseInt(process.versions.node, 10) < 24 ? 0 : heapTotal - heapUsed;
  process.send!({ memory: rss - kept, descriptors: await descriptors() });
});
process.send!({ port: application.port, url: application.files.url(film, "file") });
