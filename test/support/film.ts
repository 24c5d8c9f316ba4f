import { readdir } from "node:fs/promises";
import type { TestContext } from "node:test";
import { Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type BeforeDownloadEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
} from "typeorm-private-files";
import { type Application, type StartOptions, startApplication } from "./application.js";

/** An entity with a file that everybody may read. */
@Entity()
export class Film {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "films", condition: () => true }) file!: PrivateFile;
}

/** An application with one film. */
export interface FilmApplication {
  application: Application;
  film: Film;
  /** The address of the film's file. */
  url: string;
  /** Where the file is on the disk. */
  path: string;
}

/** What an application with a film is started with. */
export interface WithFilm extends Partial<StartOptions> {
  content?: Buffer;
  /** Runs when a download is granted and not yet sent. */
  beforeDownload?: (event: BeforeDownloadEvent) => unknown;
}

/** Bytes in which every place can be told from its neighbours, and from the same place of another block. */
export function filmOf(length: number): Buffer {
  return Buffer.alloc(length, period);
}

const period = Buffer.from(Uint8Array.from({ length: 65_537 }, (_, index) => (index * 7 + (index >> 8)) % 251));

/** Starts an application with one film; it is closed when the test is over. */
export async function withFilm(
  t: TestContext,
  { content = filmOf(8_000_000), beforeDownload, ...options }: WithFilm = {},
): Promise<FilmApplication> {
  const subscribers = beforeDownload ? [subscriber(beforeDownload)] : [];
  const application = await startApplication({ entities: [Film], subscribers, ...options });
  t.after(() => application.close());
  const film = application.dataSource.manager.create(Film, {});
  await application.files.attach(film, "file", content, { filename: "a.mp4" });
  await application.dataSource.manager.save(film);
  const path = application.storage.path(film.file.key);
  return { application, film, url: application.files.url(film, "file"), path };
}

/** How many descriptors this process has open, where the system lists them. */
export async function descriptors(): Promise<number> {
  return (await readdir("/proc/self/fd")).length;
}

function subscriber(beforeDownload: (event: BeforeDownloadEvent) => unknown): new () => PrivateFileSubscriber {
  @EventSubscriber()
  class Subscriber {
    beforeDownload = beforeDownload;
  }
  return Subscriber as never;
}
