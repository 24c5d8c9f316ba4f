import { EventSubscriber } from "typeorm";
import type { BeforeDownloadEvent, PrivateFileSubscriber } from "typeorm-private-files";
import { CountedDownload } from "./counted-download.js";

/** Counts the downloads of a {@link CountedDownload}: a TypeORM subscriber with one more method. */
@EventSubscriber()
export class DownloadCounter implements PrivateFileSubscriber<CountedDownload> {
  listenTo() {
    return CountedDownload;
  }

  async beforeDownload(event: BeforeDownloadEvent<CountedDownload>) {
    if (!event.begins) return; // a later slice of a download, or a player's probe of its first bytes
    await event.manager.increment(CountedDownload, { id: event.entity.id }, "downloads", 1);
  }
}
