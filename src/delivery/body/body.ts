import { whenOver } from "../../http/response-over.js";
import type { Download } from "../delivery.js";
import { chunkBudget, SMALLEST_CHUNK } from "./chunk-budget.js";
import { ObjectBody } from "./object-body.js";
import type { PieceSource } from "./piece-source.js";

/** A body that is not larger is a Buffer, whose memory is never used again: middleware may keep it. That of larger ones is worth using again. */
const LARGEST_BUFFER = SMALLEST_CHUNK;

/**
 * Makes pieces the body of a download's answer: all of them at once, or chunks, the first of which is read before, so that a
 * storage that fails at once is answered with a status. What is read whole by then holds no file.
 *
 * @param onTaken called whenever a chunk was taken.
 * @throws what reading throws until then.
 */
export async function setBody(download: Download, source: PieceSource, onTaken: () => void): Promise<void> {
  if (reservesBuffer(download)) {
    download.ctx.body = await source.all();
    await download.open?.close();
    return;
  }
  const body = await ObjectBody.started(source.chunks(), onTaken);
  // Nobody tells a response that waits behind another one when their connection closes: it would keep its chunk for ever.
  whenOver(download.ctx, () => body.destroy());
  if (body.bytesReady === download.length) await download.open?.close();
  download.ctx.body = body;
  download.ctx.length = download.length;
}

/** Whether the whole body may be in memory until the client took it. */
function reservesBuffer({ ctx, length }: Download): boolean {
  if (length > LARGEST_BUFFER) return false;
  const reserved = chunkBudget.take(length);
  if (reserved === length) whenOver(ctx, () => chunkBudget.giveBack(reserved));
  else chunkBudget.giveBack(reserved);
  return reserved === length;
}
