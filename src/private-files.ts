import type { Readable } from "node:stream";
import Router from "@koa/router";
import type { ExtendableContext, Middleware } from "koa";
import type { DataSource, EntityTarget, ObjectLiteral } from "typeorm";
import type { CheckOptions, Problem } from "./check/problem.js";
import { ColumnSet } from "./column/column-metadata.js";
import { ColumnStorages } from "./column/column-storages.js";
import { existingFile } from "./column/missing-file.js";
import { type PrivateFile, recordOf } from "./column/private-file.js";
import type { PrivateFileProperty } from "./column/private-file-property.js";
import { onInitialize } from "./database/initialization.js";
import type { Delivery } from "./delivery/delivery.js";
import { streamDelivery } from "./delivery/stream.js";
import { Responder } from "./download/respond.js";
import { DownloadController } from "./download/routes/controller.js";
import { Locator } from "./download/routes/locate.js";
import { Mount } from "./download/routes/mount.js";
import { send } from "./download/routes/send.js";
import type { SendOptions } from "./download/routes/send-options.js";
import { checkHookNames } from "./hooks/hook-names.js";
import { whenOver } from "./http/response-over.js";
import type { FileCleanup } from "./lifecycle/file-cleanup.js";
import { followChanges } from "./lifecycle/follow-changes.js";
import { whilePending } from "./lifecycle/pending-uploads.js";
import type { RemoveCriteria, RemoveOptions } from "./lifecycle/removal/removal-options.js";
import { checkPrivateFilesOptions, linkPaths, type PrivateFilesOptions } from "./private-files-options.js";
import { checkDataSource, checkKoa } from "./requirements.js";
import { objectKey } from "./storage/spelling.js";
import type { StoredObject } from "./storage/storage.js";
import type { SweepOptions, SweepReport } from "./sweep/sweep-options.js";
import { adopt } from "./upload/adopt.js";
import { attach } from "./upload/attach.js";
import type { AttachOptions } from "./upload/attach-options.js";
import { copy } from "./upload/copy.js";
import { checkOpenRange } from "./upload/open-range.js";
import { type Original, unlessMissing } from "./upload/original.js";
import type { Form } from "./upload/receive/form.js";
import type { FormParts } from "./upload/receive/form-parts.js";
import { receive } from "./upload/receive/receive.js";
import type { ReceiveOptions } from "./upload/receive/receive-options.js";
import type { UploadSource } from "./upload/source/upload-source.js";
import type { Assigned, Destination } from "./upload/store.js";

/** The private files of a data source: the one object that an application holds. */
export class PrivateFiles {
  private readonly prefix: string;
  private readonly baseUrl: string;
  private readonly mount: Mount;
  private readonly timeout: number;
  private readonly retryFor: number;
  private readonly delivery: Delivery;
  private known?: Known;

  /**
   * @throws ConfigurationError for a wrong option, for a version of TypeORM that is too old, for a data source of MongoDB or of
   * another copy of TypeORM and, where the data source is initialized already, for a wrong declaration or a misspelt hook. Where it
   * is not, `initialize()` of the data source throws that.
   */
  constructor(
    /** The data source whose entities have the columns. */
    readonly dataSource: DataSource,
    private readonly options: PrivateFilesOptions = {},
  ) {
    checkDataSource(dataSource);
    checkPrivateFilesOptions(options);
    const { timeout = 10, retryFor = 60, delivery = streamDelivery() } = options;
    ({ prefix: this.prefix, baseUrl: this.baseUrl } = linkPaths(options));
    this.mount = new Mount(this.prefix, this.baseUrl);
    this.timeout = timeout;
    this.retryFor = retryFor;
    this.delivery = delivery;
    if (dataSource.isInitialized) this.know();
    onInitialize(dataSource, () => this.know());
  }

  /**
   * The middleware that answers requests for files. Its type fits an application with any types of state and context, and leaves
   * those as they are.
   *
   * @throws ConfigurationError when the data source is not initialized, a column is declared wrongly, a hook is misspelt, or Koa is too old.
   */
  routes(): Middleware<object, object> {
    return this.mount.watch(this.router.routes() as Middleware<object, object>);
  }

  /** The same as a router, to nest it in another one. Each call makes a new one. */
  get router(): Router {
    checkKoa();
    const { locator, responder } = this.know();
    checkHookNames(this.dataSource.subscribers);
    const controller = new DownloadController(this.dataSource, locator, responder);
    const router = new Router({ prefix: this.prefix, sensitive: true, strict: true });
    // The router decodes its parameters, and leaves them as they are where it can't; its captures are what the URL says.
    return router.all("/:entity/:property/*rest", (ctx) => {
      const path = ctx.captures!.slice(-3).join("/");
      this.mount.check(ctx, `${this.prefix}/${path}`);
      return controller.handle(ctx, path);
    });
  }

  /**
   * The URL of an entity's file, e.g. `/private-files/file-submission/uploaded-file/7/report.pdf`.
   *
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_NOT_FOUND` when the entity has no file or was loaded without it, and when the
   * entity or its file is not saved, or was rolled back.
   */
  url<E extends object>(entity: E, property: PrivateFileProperty<E>): string {
    const { columns, locator } = this.know();
    const path = locator.pathTo(columns.columnOf(entity, property), entity);
    return `${this.baseUrl}${this.prefix}/${path}`;
  }

  /**
   * Answers a request from a route of your own with the file of an entity that you loaded, as {@link routes} would: with ranges,
   * preconditions, hooks, and the column's headers and delivery. The column's `condition` is asked, unless you say `authorized: true`;
   * its `where` and `relations` are not used. Call it for GET and HEAD, and set no body.
   *
   * The row is not loaded again. If another file has replaced the one of your entity by now, the answer is 404.
   *
   * @param ctx the Koa context of the request.
   * @param entity an entity of the data source, with the property and all that the `condition` reads.
   * @throws DownloadError for a request that is refused or fails. Let it reach Koa, which answers it.
   * @throws ConfigurationError for an unknown or wrong option, for something that is not an entity, and for a property that is not a
   * private file column or was not loaded.
   *
   * @example
   * router.get("/articles/:slug/cover", async (ctx) => {
   *   const article = await articles.findOneBy({ slug: ctx.params.slug });
   *   if (article) await files.send(ctx, article, "cover", { attachment: false });
   * });
   */
  async send<E extends object>(
    ctx: ExtendableContext,
    entity: E,
    property: PrivateFileProperty<E>,
    options: SendOptions = {},
  ): Promise<void> {
    const { columns, responder } = this.know();
    await send(responder, ctx, columns.columnOf(entity, property), entity, options);
  }

  /**
   * Reads a form of the type `multipart/form-data`, streams its files into the storages of their columns and puts them into the entities;
   * save those afterwards. There is no temporary file. Call it once it is decided that the user may upload, with a request that nobody has
   * read, and before a transaction begins. When it fails, nothing is left behind and the entities are as they were.
   *
   * What no row has when the response is over is deleted, and can't be saved any more.
   *
   * A field without a file leaves its property as it is. If the column has to have a file and the entity has none, that is an error.
   *
   * @param ctx the Koa context of the request.
   * @param parts for each field that takes a file the property of an entity, e.g. `{ file: [submission, "uploadedFile"] }`; or a function
   * that is asked for each file. A file in any other field is refused.
   * @returns the texts of the form.
   * @throws UploadError when the form is malformed, is cut off or breaks a limit, and when one of its files is refused; its `status` is
   * what Koa answers, and `details.part` is the field.
   * @throws InvalidKeyError when `uploadTo` returns no key, or one that does not fit the column.
   * @throws StorageError when a storage fails.
   * @throws ConfigurationError for wrong parts, and for an unknown option or a wrong one.
   *
   * @example
   * const submission = repository.create({ owner: ctx.state.user });
   * const form = await files.receive(ctx, { file: [submission, "uploadedFile"] });
   * submission.description = form.description ?? "";
   * await repository.save(submission);
   */
  async receive<Entities extends Record<string, object>>(
    ctx: ExtendableContext,
    parts: FormParts<Entities>,
    options: ReceiveOptions = {},
  ): Promise<Form> {
    const { cleanup } = this.know();
    const destinationOf = (entity: ObjectLiteral, property: string) => this.destinationOf(entity, property);
    const context = { destinationOf, timeout: this.timeout };
    const { form, assigned } = await receive(ctx.req, parts as FormParts, options, context);
    whenOver(ctx, () => {
      for (const { file } of assigned) void cleanup.giveUp(recordOf(file)!);
    });
    await Promise.all(assigned.map(({ replaced }) => replaced && cleanup.discardInTime(replaced)));
    return form;
  }

  /**
   * Streams an upload into the storage and puts it into the entity; save the entity afterwards. Call it before a
   * transaction begins, so that none waits for a slow client. When it fails, nothing is left behind.
   *
   * The upload belongs to the one row that is saved with it. An upload that the property held before is deleted, if it was never
   * saved.
   *
   * @returns the new value of the property.
   * @throws UploadError when `source` is no upload, was attached before, fails, or ends early.
   * @throws InvalidKeyError when `uploadTo` returns no key, or one that does not fit the column.
   * @throws StorageError when the storage fails.
   */
  async attach<E extends object>(
    entity: E,
    property: PrivateFileProperty<E>,
    source: UploadSource,
    options: AttachOptions = {},
  ): Promise<PrivateFile> {
    const destination = this.destinationOf(entity, property);
    return this.assigned(destination, attach(destination, source, options));
  }

  /**
   * Copies the file of an entity and puts the copy into another entity, or into another property; save that entity afterwards. The copy is
   * an object of its own, which belongs to the row that is saved with it. When it fails, no copy is left behind.
   *
   * On a disk whose file system has clones, such as Btrfs, XFS and APFS, it takes no time and no space. Otherwise it costs as much as
   * reading and writing the bytes, so call it before a transaction begins. No condition is asked.
   *
   * @param options `filename` gives the copy another name; `signal` ends the copying.
   * @returns the new value of the property `toProperty`.
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_NOT_FOUND` when `from` has no file, and with `ERR_PRIVATE_FILE_MISSING` when the
   * storage does not have it.
   * @throws InvalidKeyError when `uploadTo` returns no key, or one that does not fit the column.
   * @throws UploadError when `signal` is aborted.
   * @throws StorageError when a storage fails.
   *
   * @example
   * const copy = repository.create({ title: `${invoice.title} (copy)` });
   * await files.copy(invoice, "scan", copy, "scan");
   * await repository.save(copy);
   */
  async copy<F extends object, T extends object>(
    from: F,
    property: PrivateFileProperty<F>,
    to: T,
    toProperty: PrivateFileProperty<T>,
    options: AttachOptions = {},
  ): Promise<PrivateFile> {
    const original = this.originalOf(from, property);
    const destination = this.destinationOf(to, toProperty);
    return this.assigned(destination, copy(original, destination, options));
  }

  /**
   * Puts an object that is in the storage already into an entity, such as a file of an import; save the entity afterwards. Call it
   * before a transaction begins: it asks the database on a connection of its own.
   *
   * An object that this package did not write may be named by many rows, and is never deleted with a row. An object that it wrote
   * belongs to the row that adopts it. If the entity is not saved, the object stays.
   *
   * @param key the object's key. Never take it from a request.
   * @returns the new value of the property.
   * @throws InvalidKeyError for a text that is no key, or is longer than the column.
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_MISSING` when the storage has no such object, and with
   * `ERR_PRIVATE_FILE_OTHER_ROW` when this package wrote it and a row has it.
   *
   * @example
   * await files.adopt(invoice, "scan", "imports/2019/4711.pdf");
   * await repository.save(invoice);
   */
  async adopt<E extends object>(entity: E, property: PrivateFileProperty<E>, key: string): Promise<PrivateFile> {
    const { storages } = this.know();
    const destination = this.destinationOf(entity, property);
    return this.assigned(destination, adopt(destination, { storages, timeout: this.timeout }, key));
  }

  /**
   * Detaches the file of an entity: sets the property, and the siblings in `fields`, to `null`. Save the entity afterwards; the
   * commit deletes the file. An upload that was never saved is deleted right away, in the background.
   */
  detach<E extends object>(entity: E, property: PrivateFileProperty<E>): void {
    const { columns, cleanup } = this.know();
    const replaced = columns.columnOf(entity, property).assign(entity, null, {});
    if (replaced) void cleanup.discard(replaced);
  }

  /**
   * The bytes of an entity's file, for the application's own use: no condition is asked, and no hook is told.
   *
   * @param range the first and the last byte, both included. (default: all)
   * @throws ConfigurationError for a range that is not made of whole numbers.
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_NOT_FOUND` when the entity has no file, and with `ERR_PRIVATE_FILE_MISSING` when the
   * storage does not have it.
   * @throws StorageError when the storage fails.
   */
  async open<E extends object>(
    entity: E,
    property: PrivateFileProperty<E>,
    range: { start?: number; end?: number } = {},
  ): Promise<Readable> {
    checkOpenRange(range);
    const original = this.originalOf(entity, property);
    return unlessMissing(original, original.storage.read(original.key, range));
  }

  /**
   * What the storage knows of an entity's file; `undefined` when the storage does not have it.
   *
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_NOT_FOUND` when the entity has no file.
   */
  async stat<E extends object>(entity: E, property: PrivateFileProperty<E>): Promise<StoredObject | undefined> {
    const { storage, key } = this.originalOf(entity, property);
    return storage.stat(key);
  }

  /**
   * Removes the rows that `delete` of TypeORM would delete, soft-deleted ones included, so that their files are deleted with them. It
   * loads and removes 100 rows at a time, each page in a transaction, with the cascades, listeners and subscribers of TypeORM's `remove`.
   * Rows with files that the database would delete with them, by `onDelete: "CASCADE"`, are removed first.
   *
   * A page costs three SELECTs in addition to the statements of TypeORM's `remove`, and one for each cascade that leads to files; pages of
   * cascaded rows cost the same. At most a page of entities is in memory, and a page of primary keys for each level of cascades.
   *
   * @param entity the class, the EntitySchema or the name of an entity, with or without private columns.
   * @param criteria a primary key, several, or a condition as `find` takes it. Any part of it that is `undefined`, `null`, empty or
   * unknown is refused, whatever the data source's `invalidWhereValuesBehavior` is. `{ id: Not(IsNull()) }` matches all rows.
   * @returns how many rows of the entity were removed. Rows that another process removes at the same moment may be counted by both.
   * @throws ConfigurationError for an unknown option, and for an entity that is unknown or has no primary key.
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_CRITERIA` for criteria that could match more rows than intended, before any query, and
   * with `ERR_PRIVATE_FILE_NOT_REMOVED` for rows that can't be removed; pages before that one stay removed.
   *
   * @example
   * const count = await files.remove(Invoice, { customer: { id: 7 }, approved: false });
   */
  async remove<E extends ObjectLiteral>(
    entity: EntityTarget<E>,
    criteria: RemoveCriteria<E>,
    options: RemoveOptions = {},
  ): Promise<number> {
    const { columns } = this.know();
    const { removeRows } = await import("./lifecycle/removal/remove-rows.js");
    return removeRows(this.dataSource, columns, entity, criteria, options);
  }

  /**
   * Finds the objects that no row names, such as those of rows that a query builder or the database itself deleted, and the
   * rows whose object is missing. If `dryRun` is `false`, it removes the orphans: never an object that a private column names in any
   * way, that is younger than the grace period, or that does not belong to a column of this data source. It may run beside everything else.
   *
   * Costs a listing of each storage, a second one if there are orphans, a SELECT for 2000 rows and one for 500 orphans; memory grows by
   * 27 bytes at most for each row with a file. With `verify` it reads each object that a row with a digest names.
   *
   * @throws ConfigurationError for a wrong option, for storages inside of each other, and if it may not see all rows: row-level security
   * hides some, the session chooses the schema, another data source of the process keeps files in the same storage, or no row names any
   * object of a storage. For `verify`, if no column has a digest.
   * @throws InvalidKeyError for a prefix that no key can have.
   * @throws StorageError when a storage can't be listed. One that can't remove an object is counted.
   */
  async sweep(options: SweepOptions = {}): Promise<SweepReport> {
    const { storages } = this.know();
    // Servers seldom sweep: what they do not need is not loaded when they start.
    const { sweep } = await import("./sweep/sweep.js");
    return sweep(this.dataSource, storages, options);
  }

  /**
   * Looks for mistakes that would show too late: storages that can't be written or that a web server serves; tables without the
   * column, or with one that is too short, has no index or can't hold all names; and rows whose value is not a key. It also tells of rows
   * that name objects of others. Writes and removes a small file in each column's folder, and costs a SELECT for 2000 rows with a file.
   * With `verify` it reads each object that a row with a digest names, and tells which have other bytes than the row says.
   *
   * @returns what it found; nothing when all is well.
   * @throws ConfigurationError for an unknown option, or a wrong one, for a static folder that is not there, and for `verify` if no column has a digest.
   */
  async check(options: CheckOptions = {}): Promise<Problem[]> {
    const { storages } = this.know();
    const { check } = await import("./check/check.js");
    return check(this.dataSource, storages, options);
  }

  private destinationOf(entity: ObjectLiteral, property: string): Destination {
    const { columns, storages } = this.know();
    const column = columns.columnOf(entity, property);
    return { column, storage: storages.storageOf(column), entity };
  }

  /** An upload that the entity's property had before is deleted, if no row has it. */
  private async assigned({ entity, column }: Destination, assigning: Promise<Assigned>): Promise<PrivateFile> {
    const { file, replaced } = await whilePending(entity, column, assigning);
    if (replaced) await this.know().cleanup.discardInTime(replaced);
    return file;
  }

  private originalOf(entity: ObjectLiteral, property: string): Original {
    const { column, storage } = this.destinationOf(entity, property);
    const file = existingFile(column, entity);
    const name = column.factOf(entity, "name") ?? file.name;
    return { subject: column.subject, storage, key: objectKey(storage, file.key), name };
  }

  /** TypeORM knows the columns once the data source is initialized, and others when that is done again. */
  private know(): Known {
    const columns = ColumnSet.of(this.dataSource);
    if (this.known?.columns !== columns) {
      checkHookNames(this.dataSource.subscribers);
      const storages = new ColumnStorages(columns, this.options.storage);
      const locator = new Locator(this.dataSource, [...columns]);
      const cleanup = followChanges(this.dataSource, columns, {
        storages,
        timeout: this.timeout,
        retryFor: this.retryFor,
      });
      this.known = { columns, storages, locator, cleanup, responder: this.responderWith(storages) };
    }
    return this.known;
  }

  private responderWith(storages: ColumnStorages): Responder {
    return new Responder({
      dataSource: this.dataSource,
      timeout: this.timeout,
      hideDenied: this.options.hideDenied ?? false,
      storageOf: (column) => storages.storageOf(column),
      deliveryOf: (column) => column.options.delivery ?? this.delivery,
    });
  }
}

/** What is known once the data source is initialized. */
interface Known {
  columns: ColumnSet;
  storages: ColumnStorages;
  locator: Locator;
  cleanup: FileCleanup;
  responder: Responder;
}
