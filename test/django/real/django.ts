import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { pythonWith, without } from "../../support/requirements.js";

const PROJECT = resolve(import.meta.dirname, "../../../../test/django/project");
const python = pythonWith("django", "psycopg2");

/** Why tests are skipped that need Django; `false` where they run. */
export const withoutDjango: string | false = python === undefined && without("Python's Django and psycopg2");

/** What Django reads in a row that has a private file in TypeORM. */
export interface DjangoRow {
  model: "FileSubmission" | "CountedDownload" | "Attachment" | "Profile" | "Archived";
  id: string;
  /** What the row is there for: `plain`, `odd`, `suffix`, `spelling`, `unusual`, `none`, `missing` or `counted`. */
  kind: string;
  /** Whose row it is, where it is somebody's. */
  owner: string | null;
  /** The text in the column. */
  value: string | null;
  /** The file's size and hash, where the row names a file that is there. */
  size?: number;
  sha256?: string;
  /** Whether the row names a file that is not there. */
  missing?: boolean;
  /** The file's address in django-private-files, and `FieldFile.url`. */
  old_link?: string;
  link_by_path?: string;
}

/** Django in a process of its own, with the project in `test/django/project`. Its `serve.py` has the commands. */
export class Django {
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;

  private constructor(private readonly child: ChildProcessByStdio<Writable, Readable, null>) {
    this.reader = createInterface(child.stdout);
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  /** Starts it on a database, in the form of Django's own setting. */
  static start(database: Record<string, unknown>, mediaRoot: string): Django {
    const env = {
      ...process.env,
      DJANGO_SETTINGS_MODULE: "settings",
      DJANGO_DATABASE: JSON.stringify(database),
      DJANGO_MEDIA_ROOT: mediaRoot,
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUTF8: "1",
    };
    return new Django(
      spawn(python ?? "python3", ["serve.py"], { cwd: PROJECT, env, stdio: ["pipe", "pipe", "inherit"] }),
    );
  }

  /** Runs a command to its end. */
  async run<T = unknown>(command: string, values: Record<string, unknown> = {}): Promise<T> {
    this.child.stdin.write(`${JSON.stringify([command, values])}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`Django ended at "${command}".`);
    const { result, error } = JSON.parse(value);
    if (error) throw new Error(error);
    return result;
  }

  /** Ends the process. */
  async close(): Promise<void> {
    const closed = once(this.child, "close");
    this.child.stdin.end();
    await closed;
    this.reader.close();
  }
}
