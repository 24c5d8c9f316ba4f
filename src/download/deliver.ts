import type { Context } from "koa";
import type { DataSource } from "typeorm";
import type { Delivery } from "../delivery/delivery.js";
import { leavesRange } from "../delivery/delivery-needs.js";
import type { DownloadError } from "../errors.js";
import type { BeforeDownloadEvent } from "../hooks/events.js";
import type { Content } from "../http/content.js";
import { type DecidingFields, decidingFields } from "../http/request-fields.js";
import { isOver } from "../http/response-over.js";
import type { Storage } from "../storage/storage.js";
import { withinDeadline } from "./deadline.js";
import { decide } from "./decide.js";
import type { Description } from "./describe.js";
import { failed, isMissing, notFound } from "./download-errors.js";
import { announce, denied } from "./hooks/announce.js";
import { begins, beginsElsewhere } from "./hooks/begins.js";
import { eventOf, type Loaded } from "./request.js";
import { answer, restoringHeadersOnFailure } from "./response.js";

/** A request that the column's rule has let through, and the file that it is for. */
export interface Granted extends Loaded {
  /** What the storage says of the file, and how it is presented. */
  description: Description;
  /** Where the file is kept. */
  storage: Storage;
  /** How it is sent. */
  delivery: Delivery;
}

/**
 * Answers a request that is granted: decide, announce, deliver, report.
 *
 * @param timeout how many seconds all hooks may take together, and the delivery until it begins to send.
 * @throws DownloadError when a hook or the delivery fails.
 */
export async function answerGranted(dataSource: DataSource, granted: Granted, timeout: number): Promise<void> {
  const { ctx, description, delivery } = granted;
  const fields = decidingFields(ctx.req);
  const decision = decide(ctx.method, fields, description, delivery.ranges !== false);
  const content = ctx.method === "GET" ? decision.content : undefined;
  if (content) await announceDownload(dataSource, granted, partOf(granted, fields, content), timeout);
  await restoringHeadersOnFailure(ctx, async () => {
    answer(ctx, decision, description, delivery);
    if (content) await deliver(granted, content, timeout);
  });
}

/** Which part of a file a response sends. */
type Part = Pick<BeforeDownloadEvent, "range" | "begins">;

function partOf({ delivery, description }: Granted, fields: DecidingFields, { range }: Content): Part {
  const { size } = description.object;
  return { range, begins: leavesRange(delivery) ? beginsElsewhere(fields.range, size) : begins(range, size) };
}

async function announceDownload(dataSource: DataSource, granted: Granted, part: Part, timeout: number): Promise<void> {
  const step = `${granted.column.subject}: "beforeDownload"`;
  await announce(beforeDownload(dataSource, granted, part), step, timeout).catch((error: DownloadError) => {
    throw denied(dataSource, granted, "announce", error, granted.entity);
  });
}

function beforeDownload(dataSource: DataSource, granted: Granted, part: Part): BeforeDownloadEvent {
  const { entity, file, description } = granted;
  const { key, object, type } = description;
  return {
    ...eventOf(dataSource, granted),
    entity,
    file: { key, name: file.name, size: object.size, type },
    ...part,
  };
}

async function deliver(granted: Granted, content: Content, timeout: number): Promise<void> {
  const { ctx, column, storage, delivery, description } = granted;
  if (isOver(ctx)) return;
  const { key, object, open, type, disposition } = description;
  const { range, pieces, length } = content;
  const download = { ctx, storage, key, object, open, range, pieces, length, type, disposition };
  const step = `${column.subject}: sending`;
  try {
    await untilSending(step, ctx, delivery.deliver(download), timeout);
  } catch (error) {
    // The client left and the file was closed, which fails the delivery.
    if (isOver(ctx)) return;
    throw isMissing(error) ? notFound(error) : failed(step, error, "status");
  }
}

/** A storage that gives no first byte must not keep a client waiting; a delivery that sends by itself takes its time. */
function untilSending(step: string, ctx: Context, delivering: Promise<void>, timeout: number): Promise<void> {
  return withinDeadline(timeout, step, delivering).catch((error: unknown) => {
    if (ctx.headerSent) return delivering;
    throw error;
  });
}
