import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Answer, readAnswer } from "./answer.js";
import type { Kind } from "./kinds.js";
import type { SiteFile, SiteUrls } from "./site.js";
import { openSocket, type Request, readToEnd, requestText } from "./wire.js";

/** A file system in memory, which holds files of any size that are not written. */
const LARGE = "/dev/shm";

/** Why nothing huge can be placed on this machine, or `false`. */
export const skipWithoutLargeFiles: string | false = existsSync(LARGE) ? false : `there is no ${LARGE} for huge files`;

/** What is in the environment of a subject's process, and must not get out. */
export const SECRET = "the-secret-of-the-environment";

/** A file that a subject serves. */
export interface Placed extends SiteUrls {
  /** Its absolute path. */
  path: string;
}

/** What is placed; see {@link Subject.place}. */
export interface Placing {
  /** (default: one of its own) */
  key?: string;
  /** (default: none: the case itself puts something there) */
  content?: string | Buffer;
  /** In seconds, or a date. (default: now) */
  modifiedAt?: Date | number;
  /** Whether it goes to the file system for huge files. (default: false) */
  large?: boolean;
}

/** A server in a process of its own, which a case may hang or kill, with a folder of files. */
export class Subject {
  private child!: ChildProcess;
  private port = 0;
  private placed = 0;
  private orders = 0;

  private constructor(
    /** What it runs. */
    readonly kind: Kind,
    /** The folder around the root, for what must not be reached. */
    readonly outside: string,
    private readonly large: string,
  ) {}

  /** Starts a server of a kind. */
  static async start(kind: Kind): Promise<Subject> {
    const prefix = "private-files-conformance-";
    const outside = await mkdtemp(join(tmpdir(), prefix));
    const large = skipWithoutLargeFiles ? join(outside, "large") : await mkdtemp(join(LARGE, prefix));
    const subject = new Subject(kind, outside, large);
    for (const folder of [subject.root, subject.cwd]) await mkdir(folder);
    await subject.spawn();
    return subject;
  }

  /** The folder of the files. */
  get root(): string {
    return join(this.outside, "files");
  }

  /** The working directory of the server. */
  get cwd(): string {
    return join(this.outside, "cwd");
  }

  /** The id of the server's process. */
  get pid(): number {
    return this.child.pid!;
  }

  /** Whether the server's process is there. */
  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Ends the server, whatever state it is in, and removes its files. */
  async stop(): Promise<void> {
    await this.kill();
    for (const folder of [this.outside, this.large]) await rm(folder, { recursive: true, force: true });
  }

  /** Starts the server anew, without the files that it knew. */
  async restart(): Promise<void> {
    await this.kill();
    await this.spawn();
  }

  /** Puts a file on the disk, and makes it known to the server. */
  async place({ key, content, modifiedAt, large = false }: Placing = {}): Promise<Placed> {
    const file = { key: key ?? `case-${this.placed++}/digits.txt`, large };
    const path = join(large ? this.large : this.root, file.key);
    if (key === undefined) await mkdir(dirname(path));
    if (content !== undefined) await this.put(path, content);
    if (modifiedAt !== undefined) await utimes(path, modifiedAt, modifiedAt);
    return { ...((await this.order("register", file)) as SiteUrls), path };
  }

  /** Writes a file that the server is not told of, and the folders above it. */
  async put(path: string, content: string | Buffer): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }

  /** Sends one request on a connection of its own, and reads the answer to its end. */
  async ask(path: string, request: Request = {}, port = this.port): Promise<Answer> {
    const socket = await openSocket(port);
    socket.write(requestText(path, request), "latin1");
    return readAnswer(await readToEnd(socket), request)[0];
  }

  /** Opens a connection. */
  connect() {
    return openSocket(this.port);
  }

  /** Starts a second server, which nobody told where its files are, and gives its port. @throws where that is refused. */
  async serveWithoutRoot(): Promise<number> {
    return (await this.order("serveWithoutRoot")) as number;
  }

  private async spawn(): Promise<void> {
    this.child = fork(join(import.meta.dirname, "server.js"), [this.kind.name, this.root, this.large], {
      cwd: this.cwd,
      env: { SECRET },
      execArgv: [],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const started = await Promise.race([once(this.child, "message"), once(this.child, "exit")]);
    const { port } = (started[0] ?? {}) as { port?: number };
    if (port === undefined) throw new Error(`${this.kind.name}: the server did not start.`);
    this.port = port;
  }

  private async kill(): Promise<void> {
    if (!this.isAlive) return;
    this.child.kill("SIGKILL");
    await once(this.child, "exit");
  }

  private async order(order: string, file?: SiteFile): Promise<unknown> {
    const id = this.orders++;
    const { child } = this;
    return new Promise((resolve, reject) => {
      const receive = (message: { id: number; result?: unknown; error?: string }) => {
        if (message.id !== id) return;
        child.off("message", receive);
        if (message.error === undefined) resolve(message.result);
        else reject(new Error(message.error));
      };
      child.on("message", receive).send({ id, order, file }, (error) => error && reject(error));
    });
  }
}
