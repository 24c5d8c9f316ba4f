import { once } from "node:events";
import { fstat, type ReadStream, type Stats } from "node:fs";
import type { ServerResponse } from "node:http";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import type send from "koa-send";
import { PrivateFileError, StorageError } from "../errors.js";
import { whenOver } from "../http/response-over.js";
import { checkOptions, functionLike, must, type OptionRules, trueOrFalse } from "../options.js";
import { visible } from "../quoted.js";
import { Descriptor } from "../storage/disk/descriptor.js";
import { DiskObject } from "../storage/disk/disk-object.js";
import type { OpenObject } from "../storage/storage.js";
import { leaveUnawaited } from "../unawaited.js";
import type { Delivery, Download } from "./delivery.js";
import { gone } from "./missing-object.js";
import { STALL_RULES, type StallOptions } from "./stall-options.js";
import { streamDelivery } from "./stream.js";

/** Those of koa-send's options that make sense for a private file. The others are fenced off. */
export interface KoaSendDeliveryOptions extends StallOptions {
  /**
   * For how many milliseconds a browser may keep a file without asking again: `Cache-Control: private, max-age=…`, in seconds.
   * A file that is kept is shown without asking the column's rule. A column's `cacheControl` counts more. (default: none)
   */
  maxAge?: number;
  /** Whether the browser need never ask again while `maxAge` lasts. (default: false) */
  immutable?: boolean;
  /**
   * Sets headers of its own on a whole file that is sent, as in koa-send. HEAD, 304 and ranges do without.
   *
   * @param path the file's absolute path.
   */
  setHeaders?: (res: ServerResponse, path: string, stats: Stats) => void;
}

/**
 * Has koa-send look up and open whole files on a disk, for applications that count on it; what it opened is sent as by
 * {@link streamDelivery}. It gets the file that was checked and no other: the path of the open descriptor where the system
 * has one (Linux), elsewhere the file's own path, and what it opened is compared by size and time. It never takes a `.gz` or
 * `.br` beside the file, decodes nothing, and no error of its own reaches the client. Ranges, and files that are on no disk,
 * do without it.
 *
 * @throws ConfigurationError for an unknown option, or a wrong one. Options of koa-send that could serve another file are unknown here.
 */
export function koaSendDelivery(options: KoaSendDeliveryOptions = {}): Delivery {
  checkOptions("koaSendDelivery", options, RULES);
  // It takes as long to load as all else of this package, and most do without.
  const koaSend = import("koa-send");
  const streamed = streamDelivery({ stallTimeout: options.stallTimeout });
  return {
    cacheControl: cacheControlOf(options),
    async deliver(download) {
      const path = download.range ? undefined : pathOf(download);
      const open =
        path === undefined ? download.open : await openThrough((await koaSend).default, download, path, options);
      await streamed.deliver({ ...download, open });
    },
  };
}

const RULES: OptionRules<KoaSendDeliveryOptions> = {
  maxAge: must("0 or more", (value) => Number.isFinite(value) && (value as number) >= 0, "Give milliseconds"),
  immutable: trueOrFalse,
  setHeaders: functionLike("(res, path, stats) => { … }"),
  ...STALL_RULES,
};

function cacheControlOf({ maxAge, immutable }: KoaSendDeliveryOptions): string | undefined {
  if (maxAge === undefined) return undefined;
  return `private, max-age=${Math.floor(maxAge / 1000)}${immutable ? ", immutable" : ""}`;
}

function pathOf({ open, storage, key }: Download): string | undefined {
  return open?.path ?? storage.path?.(key);
}

async function openThrough(
  koaSend: typeof send,
  download: Download,
  path: string,
  { setHeaders }: KoaSendDeliveryOptions,
): Promise<OpenObject> {
  const { ctx, key, object, storage } = download;
  const isSame = path === download.open?.path ? () => true : (stats: Stats) => isObject(download, stats);
  const stream = await createStream(koaSend, download, path, (res, _path, stats) => {
    // Before anything is opened: opening a FIFO would wait for its other end, and take a thread of the pool with it.
    if (!isSame(stats)) throw gone(download);
    leaveUnawaited(setHeaders?.(res, storage.path?.(key) ?? path, stats));
  });
  const descriptor = await descriptorOf(stream).catch((error: Error) => {
    throw failure(download, error);
  });
  whenOver(ctx, () => void descriptor.close());
  if (!isSame(await promisify(fstat)(descriptor.fd))) throw gone(download);
  // From here on koa-send's own descriptor holds the file.
  await download.open?.close();
  return new DiskObject(key, descriptor, object);
}

async function createStream(
  koaSend: typeof send,
  download: Download,
  path: string,
  setHeaders: send.SetHeaders,
): Promise<ReadStream> {
  let stream: ReadStream | undefined;
  const keep = (body: ReadStream) => {
    stream = body;
  };
  // The headers are decided already. It would add a Last-Modified where the file has no time to tell.
  const context = Object.create(download.ctx, { body: { set: keep }, set: { value: () => {} } });
  // It decodes what it is given. Only false keeps it from the .gz and .br beside the file, and only true lets it see dots.
  const only = { root: dirname(path), hidden: true, gzip: false, brotli: false, setHeaders };
  await koaSend(context, encodeURIComponent(basename(path)), only).catch((error: Error) => {
    throw failure(download, error);
  });
  if (stream === undefined) throw gone(download);
  return stream;
}

/**
 * The descriptor of the file that a stream of Node's opens, for reading in another way than the stream does: that reads ahead,
 * without a bound at the file's promised end.
 */
async function descriptorOf(stream: ReadStream): Promise<Descriptor> {
  const [fd] = (await once(stream, "open")) as [number];
  stream.on("error", () => {});
  return new Descriptor(fd, () => void stream.destroy());
}

function isObject({ object }: Download, stats: Stats): boolean {
  return stats.isFile() && stats.size === object.size && stats.mtime.getTime() === object.modifiedAt.getTime();
}

/** What koa-send throws tells the client the path where a file is missing. What `setHeaders` throws is the application's. */
function failure(download: Download, error: Error & { status?: number; code?: string }): Error {
  if (error.status === 404 || error.code === "ENOENT") return gone(download, error);
  if (error instanceof PrivateFileError || error.code === undefined) return error;
  const message = `${visible(download.key)}: opening it failed with ${error.code}. See "cause", and check the storage's disk.`;
  return new StorageError(message, download.key, { cause: error });
}
