import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import Koa, { type Context } from "koa";
import multer from "multer";
import {
  Column,
  DataSource,
  Entity,
  EntitySchema,
  EventSubscriber,
  type InsertEvent,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from "typeorm";
import {
  type AfterDownloadEvent,
  type AttachOptions,
  type BeforeDownloadEvent,
  type ByteRange,
  type CheckOptions,
  type Condition,
  ConfigurationError,
  type CopyOptions,
  type Delivery,
  DiskStorage,
  type DiskStorageOptions,
  type Download,
  type DownloadDeniedEvent,
  DownloadError,
  fromPath,
  InvalidKeyError,
  KeyTakenError,
  koaSendDelivery,
  type ListedObject,
  multerStorage,
  type OpenObject,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileColumnOptions,
  PrivateFileError,
  type PrivateFileErrorCode,
  type PrivateFileProperty,
  type PrivateFileSubscriber,
  PrivateFiles,
  type PrivateFilesOptions,
  type Problem,
  type PutOptions,
  privateFileColumn,
  type ReadOptions,
  type RemoveCriteria,
  type RemoveOptions,
  type SendOptions,
  type Storage,
  StorageError,
  type StoredObject,
  type SweepItem,
  type SweepOptions,
  type SweepReport,
  streamDelivery,
  UploadError,
  type UploadSource,
  type UploadTo,
} from "typeorm-private-files";

// What users write against the package, for the compilers of `types.test.ts`. It is compiled, never run.

@Entity()
export class Owner {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

const uploadTo: UploadTo<Report> = async (report, filename) => `reports/${report.number}/${filename}`;
const signedIn: Condition<Report> = (ctx, report) => ctx.state.user != null && report.owner?.id === ctx.state.user.id;
const shared: Pick<PrivateFileColumnOptions<Report>, "relations" | "condition"> = {
  relations: { owner: true },
  condition: signedIn,
};

export class Cover {
  @PrivateFileColumn<Cover>({ nullable: true, attachment: false }) image!: PrivateFile | null;
}

@Entity()
export class Report {
  @PrimaryGeneratedColumn() id!: number;
  @Column() number!: string;
  @Column({ type: String, nullable: true }) originalName!: string | null;
  @ManyToOne(() => Owner) owner!: Relation<Owner> | null;
  @Column(() => Cover) cover!: Cover;

  @PrivateFileColumn<Report>({
    ...shared,
    uploadTo,
    where: (ctx) => [{ number: String(ctx.query.number) }, { owner: { name: "ada" } }],
    filename: (report) => report.originalName,
    fields: { name: "originalName" },
    cacheControl: "private, max-age=60",
    storage: new DiskStorage("reports", { fileMode: 0o600 } satisfies DiskStorageOptions),
    delivery: koaSendDelivery({ stallTimeout: 5 }),
    ...{ name: "scan_key", type: "varchar", length: 200, unique: true, select: true, comment: "a scan" },
  })
  scan!: PrivateFile;

  @PrivateFileColumn<Report>({ nullable: true, type: "text", default: () => "''" }) appendix?: PrivateFile | null;
}

export interface Letter {
  id: number;
  page: PrivateFile | null;
}

export const LetterSchema = new EntitySchema<Letter>({
  name: "Letter",
  columns: {
    id: { type: Number, primary: true, generated: true },
    page: privateFileColumn<Letter>({
      uploadTo: "letters/%Y",
      nullable: true,
      condition: (ctx, { id }) => ctx.state.id === id,
    }),
  },
});

@EventSubscriber()
export class Downloads implements PrivateFileSubscriber<Report> {
  listenTo() {
    return Report;
  }
  afterInsert(event: InsertEvent<Report>) {
    console.log(event.entity?.number);
  }
  async beforeDownload({ entity, manager, range, begins }: BeforeDownloadEvent<Report>) {
    const part: ByteRange | undefined = range;
    if (begins) await manager.increment(Report, { id: entity.id }, "number", part?.start ?? 1);
  }
  afterDownload(event: AfterDownloadEvent<Report>) {
    console.log(event.file.name.trim(), event.seconds.toFixed(), event.bytesSent?.toFixed(), event.ctx.ip.trim());
    // @ts-expect-error: a delivery that hands over to another server does not know it
    event.bytesSent.toFixed();
  }
  downloadDenied({ entity, step, status }: DownloadDeniedEvent<Report>) {
    if (step === "authorize") console.log(status.toFixed(), entity?.number);
    // @ts-expect-error: there is no such step
    if (step === "deliver") console.log(step);
  }
}

/** A hook that returns `false` is a mistake: it refuses by throwing. */
export class Refusing implements PrivateFileSubscriber<Report> {
  // @ts-expect-error: a hook returns nothing
  beforeDownload() {
    return false;
  }
}

/** A storage of one's own that has all that a storage can have. */
export class Bucket implements Storage {
  async put(_key: string, body: Readable, { size = 0, type, signal }: PutOptions = {}): Promise<StoredObject> {
    signal?.throwIfAborted();
    body.resume();
    return { size, modifiedAt: new Date(), ...(type === undefined ? {} : { type }) };
  }
  async stat(key: string): Promise<StoredObject | undefined> {
    return key === "" ? undefined : { size: 1, modifiedAt: new Date(), etag: "tag" };
  }
  async read(key: string, { start, end, of, signal }: ReadOptions = {}): Promise<Readable> {
    if (of && of.size < (end ?? 0)) throw new StorageError("changed", key);
    return createReadStream(key, {
      start: start ?? 0,
      ...(end === undefined ? {} : { end }),
      ...(signal ? { signal } : {}),
    });
  }
  async delete(_key: string): Promise<void> {}
  async *list(prefix: string): AsyncIterable<ListedObject> {
    yield { key: prefix, size: 1, modifiedAt: new Date() };
  }
  async open(_key: string): Promise<OpenObject | undefined> {
    return {
      size: 1,
      modifiedAt: new Date(),
      read: async (buffer, position) => buffer.length - position,
      close: async () => {},
    };
  }
  async copy(_from: string, to: string, options?: CopyOptions): Promise<void> {
    if (options?.signal?.aborted) throw new KeyTakenError(to);
  }
}

// @ts-expect-error: without `stat` nothing could be sent
export class HalfABucket implements Storage {
  async put(): Promise<StoredObject> {
    return { size: 0, modifiedAt: new Date() };
  }
}

export const delivery: Delivery = {
  ranges: true,
  async deliver({ ctx, storage, key, object, length, range }: Download) {
    ctx.body = await storage.read(key, { of: object, start: range?.start ?? 0, end: length - 1 });
  },
};

const dataSource = new DataSource({ type: "sqljs", entities: [Owner, Report, LetterSchema], subscribers: [Downloads] });
const options: PrivateFilesOptions = {
  storage: new Bucket(),
  prefix: "/files",
  timeout: 5,
  retryFor: 30,
  hideDenied: true,
};
export const files = new PrivateFiles(dataSource, { ...options, delivery: streamDelivery({ stallTimeout: 10 }) });

const upload = multer({ storage: multerStorage({ directory: "uploads" }) });
export const receive = upload.single("scan");

export const app = new Koa();
app.use(async (ctx, next) => {
  ctx.state.user = { id: 7 };
  await next();
});
app.use(files.routes()).use(files.router.allowedMethods());
app.on("error", (error: unknown, ctx: Context) => {
  if (error instanceof DownloadError) console.error(error.message, error.cause, ctx.path);
});

export async function attach(report: Report, letter: Letter, bytes: Uint8Array, file: Express.Multer.File) {
  const sources: UploadSource[] = [bytes, Buffer.from("text"), fromPath("report.pdf"), new Blob([])];
  const named: AttachOptions = { filename: "report.pdf", type: "application/pdf", signal: AbortSignal.timeout(1000) };
  for (const source of sources) {
    const attached: PrivateFile = await files.attach(report, "scan", source, named);
    console.log(attached.name, attached.key);
  }
  await files.attach(report, "cover.image", bytes);
  await files.attach(letter, "page", file as unknown as UploadSource);
  await files.copy(report, "scan", letter, "page", { filename: "page.pdf" });
  await files.adopt(report, "appendix", "imports/1.pdf");
  files.detach(report, "appendix");
  // @ts-expect-error: a string is neither bytes nor a path
  await files.attach(report, "scan", "report.pdf");
  // @ts-expect-error: a number is text, no file
  await files.attach(report, "number", bytes);
  // @ts-expect-error: a request's text can't be assigned
  report.scan = "uploads/of-another.pdf";
}

export async function read(report: Report, property: PrivateFileProperty<Report>): Promise<string> {
  const stream: Readable = await files.open(report, property, { start: 0, end: 9 });
  stream.destroy();
  const object: StoredObject | undefined = await files.stat(report, property);
  return `${files.url(report, property)} ${object?.size}`;
}

export async function send(ctx: Context, report: Report): Promise<void> {
  const own: SendOptions = { authorized: true, attachment: false, filename: "report.pdf", cacheControl: "no-store" };
  await files.send(ctx, report, "scan", own);
}

export async function remove(): Promise<number> {
  const criteria: RemoveCriteria<Report> = { owner: { id: 7 } };
  const removal: RemoveOptions = { manager: dataSource.manager };
  return (await files.remove(Report, criteria, removal)) + (await files.remove(LetterSchema, [1, 2]));
}

export async function maintain(): Promise<SweepReport> {
  const found: SweepItem[] = [];
  const sweep: SweepOptions = {
    dryRun: true,
    olderThan: 3600,
    prefixes: ["reports"],
    verify: true,
    onItem: (item) => void found.push(item),
  };
  for (const item of found) console.log(item.kind === "orphan" ? item.removed : item.id);
  for (const item of found) if (item.kind === "altered") console.log(item.expected.sha256, item.found.sha256);
  const check: CheckOptions = { staticFolders: ["public"], verify: true };
  const problems: Problem[] = await files.check(check);
  for (const { code, severity, count, rows } of problems) console.log(code, severity, count?.toFixed(), rows?.length);
  return files.sweep(sweep);
}

export function explain(error: unknown): PrivateFileErrorCode | undefined {
  if (error instanceof UploadError || error instanceof InvalidKeyError) return "ERR_PRIVATE_FILE_KEY";
  if (error instanceof ConfigurationError) return error.code;
  return error instanceof PrivateFileError ? error.code : undefined;
}
