import type { Context } from "koa";
import type { DataSource, ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import type { Delivery } from "../delivery/delivery.js";
import { InvalidKeyError, PrivateFileError } from "../errors.js";
import { answerHeadOverHttp2 } from "../http/head-over-http2.js";
import { isOver } from "../http/response-over.js";
import { quoted } from "../quoted.js";
import type { Storage } from "../storage/storage.js";
import { authorize } from "./authorize.js";
import { withinDeadline } from "./deadline.js";
import { answerGranted } from "./deliver.js";
import { type Description, describe } from "./describe.js";
import { failed, forbidden, methodNotAllowed, notFound } from "./download-errors.js";
import type { DenyingStep } from "./events.js";
import { denied } from "./hooks.js";
import { EntityLoader } from "./load.js";
import type { Locator } from "./locate.js";
import type { Loaded, Located } from "./request.js";

/** How many files of a row may be gone, one after the other, before a request is given up. */
const ATTEMPTS = 3;

/** A row that the request may see, and what the storage says of its file. */
interface Found extends Loaded {
  description: Description;
}

/** What the controller is told of the application. */
export interface ControllerOptions {
  /** Where entities are loaded from. */
  dataSource: DataSource;
  /** Knows the URLs. */
  locator: Locator;
  /** How many seconds each step may take: load, authorize, describe, all hooks together, and the delivery until it begins. */
  timeout: number;
  /** Whether a refusal is answered like a missing row. */
  hideDenied: boolean;
  /** Where a column's files are kept. */
  storageOf(column: PrivateColumn): Storage;
  /** How a column's files are sent. */
  deliveryOf(column: PrivateColumn): Delivery;
}

/** Finds out who asks for which file: locate, load, authorize, describe. What is granted is answered elsewhere. */
export class DownloadController {
  private readonly loader: EntityLoader;

  constructor(private readonly options: ControllerOptions) {
    this.loader = new EntityLoader(options.dataSource);
  }

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
    const { column } = location;
    const found = await this.find({ ctx, location, column });
    if (!found) return;
    const { dataSource, timeout, storageOf, deliveryOf } = this.options;
    const granted = { ...found, storage: storageOf(column), delivery: deliveryOf(column) };
    await answerGranted(dataSource, granted, timeout);
  }

  /**
   * The row, and its file where the request may have it. A file may be replaced after its row was read, and be gone: then the
   * row is read and asked for anew. `undefined` when the client has left.
   */
  private async find(located: Located, gone: Loaded[] = []): Promise<Found | undefined> {
    const loaded = await this.load(located);
    if (gone.length === ATTEMPTS || gone.some(({ file }) => file.key === loaded.file.key)) throw this.missing(loaded);
    await this.authorize(loaded);
    if (isOver(located.ctx)) return undefined;
    const description = await this.describe(loaded);
    return description ? { ...loaded, description } : this.find(located, [...gone, loaded]);
  }

  private async load(located: Located): Promise<Loaded> {
    const step = `${located.column.subject}: loading the entity`;
    const loading = this.loader.load(located.location, located.ctx);
    const entity = await withinDeadline(this.options.timeout, step, loading).catch((error: unknown) => {
      throw failed(step, error);
    });
    const file = entity && this.isRequested(located, entity) ? located.column.fileOf(entity) : undefined;
    if (!entity || !file) throw this.denied(located, "load", notFound());
    return { ...located, entity, file };
  }

  /** Collations find a row by a key of other case or with other spaces; its URL is still another one. */
  private isRequested({ column, location }: Located, entity: ObjectLiteral): boolean {
    const primaryKey = this.options.locator.primaryKeyOf(column, entity);
    return primaryKey.every((value, index) => value === location.primaryKey[index]);
  }

  private async authorize(loaded: Loaded): Promise<void> {
    const { ctx, column, entity } = loaded;
    const allowed = await authorize(column, entity, ctx, this.options.timeout).catch((error: unknown) => {
      throw failed(`${column.subject}: "condition"`, error);
    });
    if (allowed) return;
    throw this.denied(loaded, "authorize", this.options.hideDenied ? notFound() : forbidden(), entity);
  }

  private async describe(loaded: Loaded): Promise<Description | undefined> {
    const { ctx, column, entity, file, location } = loaded;
    if (location.name !== file.name) throw this.denied(loaded, "describe", notFound(), entity);
    const step = `${column.subject}: describing the file`;
    try {
      const describing = describe(ctx, column, this.options.storageOf(column), entity, file);
      return await withinDeadline(this.options.timeout, step, describing);
    } catch (error) {
      throw error instanceof InvalidKeyError ? this.missing(loaded, error) : failed(step, error);
    }
  }

  private denied<E extends { status: number }>(
    located: Located,
    step: DenyingStep,
    error: E,
    entity?: ObjectLiteral,
  ): E {
    return denied(this.options.dataSource, located, step, error, entity);
  }

  private missing(loaded: Loaded, cause?: Error): Error {
    const { ctx, column, entity, file, location } = loaded;
    const row = location.primaryKey.map(quoted).join(", ");
    const problem = cause
      ? "which is not a key. Give the object a name that is one, and change the row"
      : "which its storage does not have. Restore the object";
    const message = `${column.subject}: the row ${row} names ${quoted(file.key)}, ${problem}.`;
    ctx.app.emit("error", new PrivateFileError("ERR_PRIVATE_FILE_MISSING", message, { cause }), ctx);
    return this.denied(loaded, "describe", notFound(), entity);
  }
}
