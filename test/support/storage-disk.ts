import { randomBytes } from "node:crypto";
import fs, { type FileHandle, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, type TestContext } from "node:test";
import { DiskStorage } from "../../src/storage/disk/disk-storage.js";
import type { DiskStorageOptions } from "../../src/storage/disk-options.js";

export { descriptorsUnder } from "../../src/testing/fixture/open-files.js";

/** A temporary folder with a storage's root in it, and room for what must not be reached beside it. */
export class DiskFixture {
  /** The folder around the root. */
  outside = "";
  /** A storage in `outside/root`. */
  storage!: DiskStorage;

  /** Sets up a new one before each test of the suite that this is called in. */
  static beforeEach(options?: DiskStorageOptions): DiskFixture {
    const fixture = new DiskFixture();
    beforeEach(async () => {
      fixture.outside = await mkdtemp(join(tmpdir(), "private-files-"));
      fixture.storage = new DiskStorage(join(fixture.outside, "root"), options);
    });
    afterEach(() => rm(fixture.outside, { recursive: true, force: true }));
    return fixture;
  }

  /** The absolute path of something in the root. */
  path(...names: string[]): string {
    return join(this.storage.root, ...names);
  }

  /** Writes an object. */
  put(key: string, content: string | Buffer = "bytes") {
    return this.storage.put(key, Readable.from([Buffer.from(content)]));
  }

  /** Everything in the root, folders and all, but for the reserved folder while it is empty. */
  async entries(): Promise<string[]> {
    const entries = await readdir(this.storage.root, { recursive: true });
    return entries.filter((entry) => entry !== ".incomplete").sort();
  }
}

/**
 * The command that makes Node run code in a process of its own. It has `DiskStorage`, `Readable`, `fs`, and the path
 * `root`; what it returns comes out as JSON.
 */
export function nodeCommand(root: string, code: string): [string, ...string[]] {
  const module = new URL("../../src/storage/disk/disk-storage.js", import.meta.url).href;
  const script = `
    import fs from "node:fs/promises";
    import { Readable } from "node:stream";
    import { DiskStorage } from ${JSON.stringify(module)};
    const root = ${JSON.stringify(root)};
    const put = (storage, key, length) => storage.put(key, Readable.from([Buffer.alloc(length, 120)]));
    const codeOf = (promise) => promise.then(() => "done", (error) => error.name + " " + error.cause?.code);
    console.log(JSON.stringify(await (async () => { ${code} })()));`;
  return [process.execPath, "--input-type=module", "--eval", script];
}

/** A stream of that many bytes that are never in memory together. */
export function generated(length: number): Readable {
  const chunk = randomBytes(64 * 1024);
  let left = length;
  return new Readable({
    read() {
      const part = chunk.subarray(0, Math.min(left, chunk.length));
      left -= part.length;
      this.push(part.length > 0 ? Buffer.from(part) : null);
    },
  });
}

/** Changes the handles of what is opened under a path that contains `part`, or, where folders stand for descriptors, ends with `name`. */
export function onOpen(t: TestContext, part: string, change: (handle: FileHandle) => void, name = ""): void {
  const open = fs.open.bind(fs);
  t.mock.method(fs, "open", async (path: string, flags: number, mode?: number) => {
    const handle = await open(path, flags, mode);
    const creates = typeof flags === "number" && (flags & fs.constants.O_CREAT) !== 0;
    if (name ? path.endsWith(name) : creates && (path.includes(part) || path.startsWith("/proc/"))) change(handle);
    return handle;
  });
}

/** An error as the file system throws them. */
export function ioError(code: string): Error {
  return Object.assign(new Error(`${code}: made up`), { code });
}
