// A server with one film in a process of its own, for what would show in the memory or the limits of the test's process.
// Arguments: the film's size in bytes, and the name of the delivery. It is asked over IPC.
import { koaSendDelivery, streamDelivery } from "typeorm-private-files";
import { startApplication } from "./application.js";
import { descriptors, Film, filmOf } from "./film.js";

const deliveries = { streamDelivery, koaSendDelivery };
const [size, delivery] = process.argv.slice(2) as [string, keyof typeof deliveries];
const application = await startApplication({ entities: [Film], options: { delivery: deliveries[delivery]() } });
const film = application.dataSource.manager.create(Film, {});
await application.files.attach(film, "file", filmOf(Number(size)), { filename: "a.mp4" });
await application.dataSource.manager.save(film);

process.on("message", async (question) => {
  if (question === "close") return application.close().then(() => process.exit());
  global.gc?.();
  process.send!({ memory: process.memoryUsage().rss, descriptors: await descriptors() });
});
process.send!({ port: application.port, url: application.files.url(film, "file") });
