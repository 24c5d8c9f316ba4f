import type { DataSource, ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import type { Delivery } from "../delivery/delivery.js";
import { readsObject } from "../delivery/delivery-needs.js";
import { PrivateFileError } from "../errors.js";
import type { DenyingStep } from "../hooks/events.js";
import { isOver } from "../http/response-over.js";
import { untilTurn } from "../http/response-turn.js";
import { quoted } from "../quoted.js";
import type { Storage } from "../storage/storage.js";
import { authorize } from "./authorize.js";
import { withinDeadline } from "./deadline.js";
import { answerGranted } from "./deliver.js";
import { type Description, describe } from "./describe.js";
import { failed, forbidden, isInvalidKey, notFound, report } from "./download-errors.js";
import { denied } from "./hooks/announce.js";
import { type DownloadRequest, type Loaded, rowOf } from "./request.js";

/** How many files of a row may be gone, one after the other, before a request is given up. */
const ATTEMPTS = 3;

/** An entity whose file the request may have, and what the storage says of that file. */
interface Found extends Loaded {
  description: Description;
}

/** What the responder is told of the application. */
export interface ResponderOptions {
  /** Where entities come from, and whose subscribers are told. */
  dataSource: DataSource;
  /** How many seconds each step may take: load, authorize, describe, all hooks together, and the delivery until it begins. */
  timeout: number;
  /** Whether a refusal is answered like a missing row. */
  hideDenied: boolean;
  /** Where a column's files are kept. */
  storageOf(column: PrivateColumn): Storage;
  /** How a column's files are sent. */
  deliveryOf(column: PrivateColumn): Delivery;
}

/** Answers requests for files, wherever they came from: load, authorize, describe. What is granted is answered elsewhere. */
export class Responder {
  constructor(private readonly options: ResponderOptions) {}

  /** @throws DownloadError for a request that is refused or fails. */
  async respond(request: DownloadRequest): Promise<void> {
    // Here rather than before the file is opened, so that a right that is revoked during the wait no longer holds.
    await untilTurn(request.ctx);
    if (isOver(request.ctx)) return;
    const found = await this.find(request);
    if (!found) return;
    const { dataSource, timeout, storageOf, deliveryOf } = this.options;
    const granted = { ...found, storage: storageOf(found.column), delivery: deliveryOf(found.column) };
    await answerGranted(dataSource, granted, timeout);
  }

  /**
   * The entity, and its file where the request may have it. A file may be replaced after its row was read, and be gone: then the
   * entity is loaded again, and the rule is asked again. `undefined` when the client has left.
   */
  private async find(request: DownloadRequest, gone: Loaded[] = []): Promise<Found | undefined> {
    const loaded = await this.load(request, gone.length > 0);
    if (gone.length === ATTEMPTS || gone.some(({ file }) => file.key === loaded.file.key)) throw this.missing(loaded);
    await this.authorize(loaded);
    if (isOver(request.ctx)) return undefined;
    const description = await this.describe(loaded);
    return description ? { ...loaded, description } : this.find(request, [...gone, loaded]);
  }

  private async load(request: DownloadRequest, again: boolean): Promise<Loaded> {
    const { column } = request;
    const step = `${column.subject}: loading the entity`;
    const entity = await withinDeadline(this.options.timeout, step, request.load(again)).catch((error: unknown) => {
      throw failed(step, error);
    });
    const file = entity && column.fileOf(entity);
    if (!entity || !file) throw this.denied(request, "load", notFound());
    return { ...request, entity, file };
  }

  private async authorize(loaded: Loaded): Promise<void> {
    const { ctx, column, entity, authorized } = loaded;
    if (authorized) return;
    const allowed = await authorize(column, entity, ctx, this.options.timeout).catch((error: unknown) => {
      throw failed(`${column.subject}: "condition"`, error);
    });
    if (allowed) return;
    throw this.denied(loaded, "authorize", this.options.hideDenied ? notFound() : forbidden(), entity);
  }

  private async describe(loaded: Loaded): Promise<Description | undefined> {
    const { column, entity, file, name = file.name } = loaded;
    if (name !== file.name) throw this.denied(loaded, "describe", notFound(), entity);
    const step = `${column.subject}: describing the file`;
    const opens = readsObject(this.options.deliveryOf(column));
    try {
      const describing = describe(loaded, this.options.storageOf(column), opens);
      return await withinDeadline(this.options.timeout, step, describing);
    } catch (error) {
      throw isInvalidKey(error) ? this.missing(loaded, error) : failed(step, error);
    }
  }

  private denied<E extends { status: number }>(
    request: DownloadRequest,
    step: DenyingStep,
    error: E,
    entity?: ObjectLiteral,
  ): E {
    return denied(this.options.dataSource, request, step, error, entity);
  }

  private missing(loaded: Loaded, cause?: Error): Error {
    const { ctx, column, entity, file } = loaded;
    const problem = cause
      ? "which is not a key. Give the object a name that is one, and change the row"
      : "which its storage does not have. Restore the object, or look whether the row has another file by now";
    const message = `${column.subject}: ${rowOf(column, entity)} names ${quoted(file.key)}, ${problem}.`;
    report(ctx, column.subject, new PrivateFileError("ERR_PRIVATE_FILE_MISSING", message, { cause }));
    return this.denied(loaded, "describe", notFound(), entity);
  }
}
