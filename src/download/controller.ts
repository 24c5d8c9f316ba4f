import type { Context } from "koa";
import type { DataSource, ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import type { PrivateFile } from "../column/private-file.js";
import type { Delivery } from "../delivery/delivery.js";
import { InvalidKeyError, PrivateFileError } from "../errors.js";
import type { ByteRange } from "../http/byte-range.js";
import type { Content } from "../http/content.js";
import { answerHeadOverHttp2 } from "../http/head-over-http2.js";
import { isOver } from "../http/response-over.js";
import { quoted } from "../quoted.js";
import type { Storage } from "../storage/storage.js";
import { answer, restoringHeadersOnFailure } from "./answer.js";
import { authorize } from "./authorize.js";
import { withinDeadline } from "./deadline.js";
import { decide } from "./decide.js";
import { type Description, describe } from "./describe.js";
import { type BeforeDownloadEvent, type DenyingStep, type DownloadEvent, tellSubscribers } from "./events.js";
import { load } from "./load.js";
import type { Location, Locator } from "./locate.js";
import { failed, forbidden, isMissing, methodNotAllowed, notFound } from "./refusal.js";
import { reportWhenOver } from "./report.js";

/** What the controller is told of the application. */
export interface ControllerOptions {
  /** Where entities are loaded from. */
  dataSource: DataSource;
  /** Knows the URLs. */
  locator: Locator;
  /** How many seconds each may take: the database and the storage to find the file, the condition, and all hooks together. */
  timeout: number;
  /** Whether a refusal is answered like a missing row. */
  hideDenied: boolean;
  /** Where a column's files are kept. */
  storageOf(column: PrivateColumn): Storage;
  /** How a column's files are sent. */
  deliveryOf(column: PrivateColumn): Delivery;
}

/** A request whose URL names a column. */
interface Located {
  ctx: Context;
  column: PrivateColumn;
  location: Location;
}

/** A request for a file that an entity has. */
interface Loaded extends Located {
  entity: ObjectLiteral;
  file: PrivateFile;
}

/** Answers requests for files: locate, load, authorize, describe, decide, announce, deliver, report. */
export class DownloadController {
  constructor(private readonly options: ControllerOptions) {}

  /**
   * Answers one request.
   *
   * @param segments what the URL says behind the prefix of the routes, not decoded: entity, property, and the rest.
   * @throws DownloadError for a request that is refused or fails.
   */
  async handle(ctx: Context, ...segments: [entity: string, property: string, rest: string]): Promise<void> {
    answerHeadOverHttp2(ctx);
    if (ctx.method !== "GET" && ctx.method !== "HEAD") throw methodNotAllowed();
    const location = this.options.locator.locate(...segments);
    if (!location) throw notFound();
    const located = { ctx, location, column: location.column };
    const loaded = await this.load(located);
    await this.authorize(loaded);
    if (isOver(ctx)) return;
    await this.answer(loaded, await this.describe(loaded));
  }

  private async load(located: Located): Promise<Loaded> {
    const { dataSource, timeout } = this.options;
    const step = `${located.column.subject}: loading the entity`;
    const loading = load(dataSource, located.location, located.ctx);
    const entity = await withinDeadline(timeout, step, loading).catch((error: unknown) => {
      throw failed(step, error);
    });
    const file = entity && this.isRequested(located, entity) ? located.column.fileOf(entity) : undefined;
    if (!entity || !file) throw this.denied(located, "load", notFound());
    return { ...located, entity, file };
  }

  /** Collations find a row by a key of other case or with other spaces; its URL is still another one. */
  private isRequested({ column, location }: Located, entity: ObjectLiteral): boolean {
    const keyValues = this.options.locator.keyValuesOf(column, entity);
    return keyValues.every((value, index) => value === location.keyValues[index]);
  }

  private async authorize(loaded: Loaded): Promise<void> {
    const { ctx, column, entity } = loaded;
    const allowed = await authorize(column, entity, ctx, this.options.timeout).catch((error: unknown) => {
      throw failed(`${column.subject}: "condition"`, error);
    });
    if (allowed) return;
    throw this.denied(loaded, "authorize", this.options.hideDenied ? notFound() : forbidden(), entity);
  }

  private async describe(loaded: Loaded): Promise<Description> {
    const { ctx, column, entity, file, location } = loaded;
    if (location.name !== file.name) throw this.denied(loaded, "describe", notFound(), entity);
    const step = `${column.subject}: describing the file`;
    try {
      const describing = describe(ctx, column, this.options.storageOf(column), entity, file);
      const description = await withinDeadline(this.options.timeout, step, describing);
      if (description) return description;
      this.logMissing(loaded);
    } catch (error) {
      if (!(error instanceof InvalidKeyError)) throw failed(step, error);
      this.logMissing(loaded, error);
    }
    throw this.denied(loaded, "describe", notFound(), entity);
  }

  private async answer(loaded: Loaded, description: Description): Promise<void> {
    const { ctx, column } = loaded;
    const delivery = this.options.deliveryOf(column);
    const ranges = delivery.ranges !== false;
    const cacheControl = column.options.cacheControl ?? delivery.cacheControl;
    const decision = decide(ctx.method, ctx.headers, description, ranges);
    const content = ctx.method === "GET" ? decision.content : undefined;
    if (content) await this.announce(loaded, description, content);
    await restoringHeadersOnFailure(ctx, async () => {
      answer(ctx, decision, description, cacheControl, ranges);
      if (content) await this.deliver(loaded, description, content, delivery);
    });
  }

  private async announce(loaded: Loaded, description: Description, { range }: Content): Promise<void> {
    const { column, entity } = loaded;
    const event = beforeDownload(this.options.dataSource, loaded, description, range);
    try {
      await withinDeadline(
        this.options.timeout,
        `${column.subject}: "beforeDownload"`,
        tellSubscribers("beforeDownload", event),
      );
    } catch (error) {
      throw this.denied(loaded, "announce", failed(`${column.subject}: "beforeDownload"`, error, "message"), entity);
    }
    reportWhenOver(event);
  }

  private async deliver(loaded: Loaded, description: Description, content: Content, delivery: Delivery): Promise<void> {
    const { ctx, column, file } = loaded;
    if (isOver(ctx)) return;
    const { object, open, type, disposition } = description;
    const { range, pieces, length } = content;
    const storage = this.options.storageOf(column);
    const download = { ctx, storage, key: file.key, object, open, range, pieces, length, type, disposition };
    try {
      await this.untilSending(`${column.subject}: sending`, ctx, delivery.deliver(download));
    } catch (error) {
      throw isMissing(error) ? notFound(error) : failed(`${column.subject}: sending`, error, "status");
    }
  }

  /** A storage that gives no first byte must not keep a client waiting; a delivery that sends by itself takes its time. */
  private untilSending(step: string, ctx: Context, delivering: Promise<void>): Promise<void> {
    return withinDeadline(this.options.timeout, step, delivering).catch((error: unknown) => {
      if (ctx.headerSent) return delivering;
      throw error;
    });
  }

  /** Tells of a refusal, without waiting for those who are told, and hands back the error to throw. */
  private denied<E extends { status: number }>(
    located: Located,
    step: DenyingStep,
    error: E,
    entity?: ObjectLiteral,
  ): E {
    const { ctx } = located;
    const event = { ...eventOf(this.options.dataSource, located), entity, step, status: error.status };
    tellSubscribers("downloadDenied", event).catch((cause: Error) => ctx.app.emit("error", cause, ctx));
    return error;
  }

  private logMissing({ ctx, column, file, location }: Loaded, cause?: Error): void {
    const row = location.keyValues.map(quoted).join(", ");
    const message = `${column.subject}: the row ${row} names ${quoted(file.key)}, which its storage does not have. Restore the file, or set the column to null.`;
    ctx.app.emit("error", new PrivateFileError("ERR_PRIVATE_FILE_MISSING", message, { cause }), ctx);
  }
}

function eventOf(dataSource: DataSource, { ctx, column }: Located): DownloadEvent {
  const { manager } = dataSource;
  return { dataSource, manager, metadata: column.entity, propertyName: column.propertyPath, ctx };
}

function beforeDownload(
  dataSource: DataSource,
  loaded: Loaded,
  { object, type }: Description,
  range: ByteRange | undefined,
): BeforeDownloadEvent {
  const { entity, file } = loaded;
  return {
    ...eventOf(dataSource, loaded),
    entity,
    file: { key: file.key, name: file.name, size: object.size, type },
    range,
    resumed: range !== undefined && range.start > 0,
  };
}
