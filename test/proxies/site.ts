import { utimes } from "node:fs/promises";
import { Readable } from "node:stream";
import { Column, Entity, PrimaryColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, type PrivateFilesOptions } from "typeorm-private-files";
import { filmOf } from "../../src/testing/fixture/film.js";
import { type Application, startApplication } from "../support/application.js";
import { FILE_NAMES, PRIMARY_KEYS } from "./awkward-texts.js";

@Entity()
class Letter {
  @PrimaryColumn() id!: string;
  @Column({ default: "alice" }) owner!: string;
  @PrivateFileColumn<Letter>({ condition: (ctx, letter) => ctx.state.user?.name === letter.owner }) file!: PrivateFile;
}

/** A file of alice's. */
export interface Owned {
  /** The name or the primary key that its address is made of. */
  text: string;
  /** Its address, as `files.url` has it. */
  url: string;
  content: Buffer;
}

/** An application whose only user with files is alice. */
export interface Site extends Application {
  /** A file for each awkward name. */
  named: Owned[];
  /** A file for each awkward primary key. */
  keyed: Owned[];
  /** A file of some megabytes. */
  scan: Owned;
  /** A file that is larger than what proxies and systems buffer of a response. */
  film: Owned;
}

/** Starts the application. */
export async function startSite(options?: PrivateFilesOptions): Promise<Site> {
  const application = await startApplication({ entities: [Letter], options });
  const named: Owned[] = [];
  for (const name of FILE_NAMES) named.push(await write(application, name, `letter ${named.length}`, name));
  const keyed: Owned[] = [];
  for (const key of PRIMARY_KEYS) keyed.push(await write(application, key, key, `${keyed.length}.pdf`));
  const scan = await write(application, "scan", "scan", "scan.tiff", filmOf(3_000_000));
  const film = await write(application, "film", "film", "film.mp4", filmOf(40_000_000));
  return { ...application, named, keyed, scan, film };
}

async function write(
  { dataSource, storage, files }: Application,
  text: string,
  id: string,
  name: string,
  content: Buffer = Buffer.from(`for alice alone: ${text}`),
): Promise<Owned> {
  // An upload's name would be made portable first.
  const key = `letters/${name}`;
  await storage.put(key, Readable.from([content]));
  // A date is no strong validator of what was written in the last seconds.
  const anHourAgo = new Date(Date.now() - 3_600_000);
  await utimes(storage.path(key), anHourAgo, anHourAgo);
  const letter = dataSource.manager.create(Letter, { id });
  await files.adopt(letter, "file", key);
  await dataSource.manager.save(letter);
  return { text, url: files.url(letter, "file"), content };
}
