import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { DataSource, EntitySchema } from "typeorm";
import { privateFileColumn } from "typeorm-private-files";
import type { ChildResult } from "./programs.js";

/** The command as it is built. */
export const command = fileURLToPath(new URL("../../src/cli.js", import.meta.url));

/** A folder with a configuration, a database in a file and a storage in `files`. */
export class CliProject {
  private constructor(readonly folder: string) {}

  static async open(): Promise<CliProject> {
    const project = new CliProject(await mkdtemp(join(tmpdir(), "private-files-")));
    await project.write("ormconfig.mjs", CONFIGURATION);
    await project.name();
    return project;
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** Writes a file of the project. */
  async write(name: string, content: string): Promise<void> {
    await writeFile(join(this.folder, name), content);
  }

  /** Writes an object that is two days old, without asking the storage. */
  async put(key: string): Promise<string> {
    const path = join(this.folder, "files", key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "bytes");
    const time = new Date(Date.now() - 48 * 3_600_000);
    await utimes(path, time, time);
    return key;
  }

  /** Saves rows that name keys. */
  async name(...keys: string[]): Promise<void> {
    await this.#insert(keys);
  }

  /** Saves a row that names a key, and the digest of its file. */
  async nameWithDigest(key: string, digest: string): Promise<void> {
    await this.#insert([key], digest);
  }

  async #insert(keys: string[], digest: string | null = null): Promise<void> {
    const columns = {
      id: { type: Number, primary: true, generated: true } as const,
      scan: privateFileColumn({ uploadTo: "letters", fields: { sha256: "digest" } }),
      digest: { type: String, nullable: true } as const,
    };
    const entities = [new EntitySchema({ name: "Letter", columns, indices: [{ columns: ["scan"] }] })];
    const location = join(this.folder, "database.sqlite");
    const options = { type: "sqljs", location, autoSave: true, synchronize: true, entities } as const;
    const dataSource = await new DataSource(options).initialize();
    for (const key of keys) await dataSource.query("INSERT INTO letter (scan, digest) VALUES (?, ?)", [key, digest]);
    await dataSource.destroy();
  }

  /** The files in the storage. */
  async files(): Promise<string[]> {
    const entries = await readdir(join(this.folder, "files"), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  }

  /** Starts the command in the project. */
  start(args: string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
    const options = { cwd: this.folder, env: { ...process.env, ...environment } };
    return spawn(process.execPath, [command, ...args], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Runs the command to its end. */
  async run(args: string[], environment?: NodeJS.ProcessEnv): Promise<ChildResult> {
    const child = this.start(args, environment);
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout!),
      text(child.stderr!),
      once(child, "close") as Promise<[number | null]>,
    ]);
    return { code, stdout, stderr };
  }
}

/**
 * It logs each query, keeps the process alive, and has a storage that removes slowly or not at all where it is told so, and can't read some
 * objects, by their names.
 */
const CONFIGURATION = `
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { DataSource, EntitySchema } from ${JSON.stringify(import.meta.resolve("typeorm"))};
import { PrivateFiles, privateFileColumn } from ${JSON.stringify(import.meta.resolve("typeorm-private-files"))};
import { BackdatedStorage } from ${JSON.stringify(import.meta.resolve("./backdated-storage.js"))};

setInterval(() => {}, 1000);
console.log("configured");
const columns = {
  id: { type: Number, primary: true, generated: true },
  scan: privateFileColumn({ uploadTo: "letters", fields: { sha256: "digest" } }),
  digest: { type: String, nullable: true },
};
const entities = [new EntitySchema({ name: "Letter", columns, indices: [{ columns: ["scan"] }] })];
const dataSource = new DataSource({ type: "sqljs", location: "database.sqlite", entities, logging: true });
export default dataSource;

class Storage extends BackdatedStorage {
  async delete(key) {
    if (process.env.FAILS) throw new Error("no permission\\nat all");
    if (process.env.SLOW) await setTimeout(50);
    return super.delete(key);
  }
  async read(key, options) {
    if (key.endsWith("/unreadable.txt")) throw new Error("a bad\\nsector");
    if (!key.endsWith("/endless.txt")) return super.read(key, options);
    console.error("reading for ever");
    return new Readable({ read() {} });
  }
}
export const files = new PrivateFiles(dataSource, { storage: new Storage("files") });
`;
