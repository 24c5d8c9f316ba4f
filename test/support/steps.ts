import { readlinkSync, writeSync } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { join, relative } from "node:path";
import type { AfterQueryEvent, BeforeQueryEvent, DataSource, EntitySubscriberInterface } from "typeorm";

/** Some functions of a module or methods of an object. */
type Callable = Record<string, unknown>;

/**
 * What this process does to files through `node:fs/promises`, and to a database: a step before each call and statement and
 * one after it. Their names are such as `before link letters/*.bin` and `after COMMIT`, with a `*` for what is random.
 */
export class Steps {
  /** The steps so far. */
  readonly names: string[] = [];

  /** @param stopAt at which step the process kills itself, after it wrote the step's name to standard output. (default: none) */
  constructor(private readonly stopAt?: number) {}

  /** Begins to watch the files under a folder, which are named by their paths in it, and the statements of a data source. */
  watch(root: string, dataSource: DataSource): void {
    const open = fs.open;
    fs.open = async (...args) => {
      const handle: FileHandle = await open(...args);
      const place = placeOf(`/proc/self/fd/${handle.fd}`, root);
      this.#wrap(handle as unknown as Callable, Object.getPrototypeOf(handle), () => place);
      return handle;
    };
    this.#wrap(fs as unknown as Callable, fs, (path) => placeOf(path, root));
    dataSource.subscribers.push(new StatementSubscriber(this));
  }

  /** Notes a step, and ends the process if it is the one. */
  take(name: string): void {
    this.names.push(name);
    if (this.names.length - 1 !== this.stopAt) return;
    writeSync(1, name);
    process.kill(process.pid, "SIGKILL");
  }

  #wrap(target: Callable, source: object, placeOfCall: (path: string) => string): void {
    for (const method of new Set([...Object.keys(target), ...Object.getOwnPropertyNames(source)])) {
      if (method === "fd" || method === "constructor" || typeof target[method] !== "function") continue;
      const original = target[method] as (...args: unknown[]) => unknown;
      target[method] = (...args: unknown[]) => {
        const path = args.findLast((argument) => typeof argument === "string") as string | undefined;
        const name = `${createsFile(method, args) ? "create" : method} ${placeOfCall(path ?? "")}`;
        this.take(`before ${name}`);
        const result = original.apply(target, args);
        return result instanceof Promise ? result.finally(() => this.take(`after ${name}`)) : result;
      };
    }
  }
}

/** Hears of each statement, and lets it wait for nothing. */
class StatementSubscriber implements EntitySubscriberInterface {
  constructor(private readonly steps: Steps) {}

  beforeQuery({ query }: BeforeQueryEvent): void {
    this.steps.take(`before ${verbOf(query)}`);
  }

  afterQuery({ query }: AfterQueryEvent): void {
    this.steps.take(`after ${verbOf(query)}`);
  }
}

function createsFile(method: string, [, flags]: unknown[]): boolean {
  return method === "open" && typeof flags === "number" && (flags & fs.constants.O_CREAT) !== 0;
}

function verbOf(query: string): string {
  return /\w+/.exec(query)![0].toUpperCase();
}

/** A path under the root as a key would be, also where it goes by way of a descriptor. */
function placeOf(path: string, root: string): string {
  const [, descriptor, rest] = /^(\/proc\/self\/fd\/\d+)(.*)$/.exec(path) ?? [];
  const real = descriptor ? join(readlinkSync(descriptor), rest!) : path;
  return relative(root, real).replace(/[0-9a-z]{30,}/g, "*");
}
