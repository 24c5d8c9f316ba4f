import { createCipheriv, createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type Koa from "koa";
import { Column, Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type BeforeDownloadEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
} from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";

@Entity()
class Film {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: 0 }) downloads!: number;
  @PrivateFileColumn({ condition: () => true }) file!: PrivateFile;
}

/** The counter of the README. */
@EventSubscriber()
class DownloadCounter implements PrivateFileSubscriber<Film> {
  listenTo() {
    return Film;
  }
  async beforeDownload(event: BeforeDownloadEvent<Film>) {
    if (!event.begins) return;
    await event.manager.increment(Film, { id: event.entity.id }, "downloads", 1);
  }
}

/** A request that the server answered. */
interface Seen {
  method: string;
  status: number;
  /** The Range header; empty where there was none. */
  range: string;
  /** The If-Range header; empty where there was none. */
  ifRange: string;
  /** The client's end of the connection. */
  connection: number;
}

/** A film on a server, and a folder to save it in. */
export interface LargeFilm {
  application: Application;
  /** Its address, without the origin. */
  path: string;
  size: number;
  sha256: string;
  /** The requests since {@link forget}, in the order in which they came. */
  seen: Seen[];
  /** How often the subscriber counted the film. */
  downloads(): Promise<number>;
  /** Starts over with what was seen and counted. */
  forget(): Promise<void>;
  /** A name for a new file in a folder that goes away with the film. */
  target(name: string): string;
  close(): Promise<void>;
}

/** Starts an application with one film of so many bytes, each block of which is different from all others. */
export async function serveLargeFilm(size: number): Promise<LargeFilm> {
  const seen: Seen[] = [];
  const before = (app: Koa) => app.use(noting(seen));
  const application = await startApplication({ entities: [Film], subscribers: [DownloadCounter], before });
  const { manager } = application.dataSource;
  const film = manager.create(Film, {});
  const hash = createHash("sha256");
  const bytes = Readable.from(noise(size, hash), { objectMode: false });
  try {
    await application.files.attach(film, "file", bytes, { filename: "film.mp4" });
  } catch (error) {
    // The disk may be full; a server that nobody closes would keep the test from ending.
    await application.close();
    throw error;
  }
  await manager.save(film);
  const folder = await mkdtemp(join(tmpdir(), "private-files-clients-"));
  return {
    ...{ application, size, seen, sha256: hash.digest("hex"), path: application.files.url(film, "file") },
    downloads: async () => (await manager.findOneByOrFail(Film, { id: film.id })).downloads,
    async forget() {
      seen.length = 0;
      await manager.update(Film, { id: film.id }, { downloads: 0 });
    },
    target: (name) => join(folder, name),
    async close() {
      await application.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a file on disk hashes to. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: BLOCK }), hash);
  return hash.digest("hex");
}

/** How many descriptors this process has, where the system lists them; else 0. */
export async function countDescriptors(): Promise<number> {
  if (process.platform !== "linux") return 0;
  return (await readdir("/proc/self/fd")).length;
}

const BLOCK = 1024 * 1024;

/** The key stream of a cipher, as that is quick to make. */
function* noise(size: number, hash: { update(bytes: Buffer): void }): Generator<Buffer> {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, 1), Buffer.alloc(16));
  for (let left = size; left > 0; left -= BLOCK) {
    const block = cipher.update(Buffer.alloc(Math.min(left, BLOCK)));
    hash.update(block);
    yield block;
  }
}

function noting(seen: Seen[]): Koa.Middleware {
  return async (ctx, next) => {
    const connection = ctx.req.socket.remotePort!;
    const entry = { method: ctx.method, status: 0, range: ctx.get("range"), ifRange: ctx.get("if-range"), connection };
    seen.push(entry);
    await next();
    entry.status = ctx.status;
  };
}
