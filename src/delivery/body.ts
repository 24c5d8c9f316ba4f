import { whenOver } from "../http/response-over.js";
import { chunkBudget } from "./chunk-budget.js";
import type { Download } from "./delivery.js";
import { ObjectBody } from "./object-body.js";

/** A body that is not larger goes out in one write with its headers. */
const ONE_WRITE = 64 * 1024;

/**
 * Makes chunks the body of a download's answer. The first of them is read before, so that a storage that fails at once is
 * answered with a status.
 *
 * @param chunks exactly the bytes of the download's pieces, or an error.
 * @throws what the first chunk throws.
 */
export async function setBody(download: Download, chunks: AsyncGenerator<Uint8Array, void>): Promise<void> {
  if (reservesOneWrite(download)) {
    download.ctx.body = await gather(chunks);
    await download.open?.close();
    return;
  }
  const body = await ObjectBody.started(chunks);
  // Nobody tells a response that waits behind another one when their connection closes: it would keep its chunk for ever.
  whenOver(download.ctx, () => body.destroy());
  download.ctx.body = body;
  download.ctx.length = download.length;
}

/** Whether the whole body may be in memory until the client took it. */
function reservesOneWrite({ ctx, length }: Download): boolean {
  if (length > ONE_WRITE) return false;
  const reserved = chunkBudget.take(length);
  if (reserved === length) whenOver(ctx, () => chunkBudget.giveBack(reserved));
  else chunkBudget.giveBack(reserved);
  return reserved === length;
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  const [only] = all;
  return only && all.length === 1 ? asBuffer(only) : Buffer.concat(all);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
