import assert from "node:assert/strict";
import type { Readable } from "node:stream";
import { describe, it } from "node:test";
import Router from "@koa/router";
import Koa, { type Context, type ParameterizedContext } from "koa";
import {
  Column,
  Entity,
  EntitySchema,
  EventSubscriber,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from "typeorm";
import {
  type AfterDownloadEvent,
  type BeforeDownloadEvent,
  type Condition,
  type DownloadDeniedEvent,
  type DownloadEvent,
  fromPath,
  multerStorage,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileColumnOptions,
  PrivateFileError,
  type PrivateFileErrorCode,
  type PrivateFileProperty,
  type PrivateFileSubscriber,
  type PrivateFiles,
  privateFileColumn,
  type SendOptions,
  type Storage,
  type TemporaryUpload,
  type UploadSource,
} from "typeorm-private-files";

// What is here is checked by the compiler: `npm test` does not begin while a line below `@ts-expect-error` compiles, nor while
// one of the others does not. Each refusal stands beside a line that differs in one thing and is accepted.

@Entity()
class User {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

class Profile {
  @Column() nickname!: string;
  @PrivateFileColumn<Invoice>({ filename: (invoice) => invoice.profile.nickname }) photo!: PrivateFile | null;
}

@Entity()
class Invoice {
  @PrimaryGeneratedColumn() id!: number;
  @Column() number!: string;
  @Column(() => Profile) profile!: Profile;
  @ManyToOne(() => User) owner!: Relation<User>;
  @PrivateFileColumn<Invoice>({ uploadTo: (invoice, filename) => `${invoice.number.trim()}/${filename}` })
  scan!: PrivateFile;
  @PrivateFileColumn<Invoice>({ nullable: true }) receipt?: PrivateFile | null;
  title(): string {
    return this.number;
  }
}

/** What the options of a column know of their entity. */
function columnOptions() {
  PrivateFileColumn<Invoice>({
    condition: (ctx, invoice) => {
      ctx satisfies Context;
      invoice satisfies Invoice;
      // @ts-expect-error: an invoice has no price
      invoice.price;
      return invoice.owner.id === ctx.state.user?.id;
    },
    where: (ctx) => ({ owner: { id: Number(ctx.state.user?.id) } }),
    filename: (invoice) => invoice.number satisfies string,
    relations: { owner: true },
    fields: { name: "number" },
  });
  PrivateFileColumn<Invoice>({ type: "text", default: "", length: 100 });
  PrivateFileColumn<Invoice>({ type: String, default: () => "'none.pdf'", nullable: true });
  PrivateFileColumn<Invoice>({ where: () => [{ id: 1 }, { number: "2" }], condition: async () => true });

  // @ts-expect-error: a rule answers with a boolean, not with whatever is truthy
  PrivateFileColumn<Invoice>({ condition: (_ctx, invoice) => invoice.number });
  // @ts-expect-error: an invoice has no price
  PrivateFileColumn<Invoice>({ where: () => ({ price: 1 }) });
  // @ts-expect-error: an id is a number
  PrivateFileColumn<Invoice>({ where: () => ({ id: "1" }) });
  // @ts-expect-error: a name is text
  PrivateFileColumn<Invoice>({ filename: (invoice) => invoice.id });
  // @ts-expect-error: an invoice has no relation to a customer
  PrivateFileColumn<Invoice>({ relations: { customer: true } });
  // @ts-expect-error: an invoice has no property of that name
  PrivateFileColumn<Invoice>({ fields: { name: "originalName" } });
  // @ts-expect-error: nor is an id a text
  PrivateFileColumn<Invoice>({ fields: { name: "id" } });
  // @ts-expect-error: there is no such option
  PrivateFileColumn<Invoice>({ upload_to: "uploads" });
  // @ts-expect-error: a column of bytes keeps no text
  PrivateFileColumn<Invoice>({ type: "bytea" });
  // @ts-expect-error: a default is text, or SQL that gives one
  PrivateFileColumn<Invoice>({ default: 5 });
  // @ts-expect-error: an upload that no INSERT writes would belong to no row
  PrivateFileColumn<Invoice>({ insert: false });
  // @ts-expect-error: nor one that no UPDATE writes
  PrivateFileColumn<Invoice>({ update: false });
  // @ts-expect-error: a key is text
  PrivateFileColumn<Invoice>({ uploadTo: (invoice) => invoice.id });
}

/** A decorator stands on a property of its entity that holds a file, and on no other. */
function decorators() {
  const name: unique symbol = Symbol("name");
  abstract class Base {
    @PrimaryGeneratedColumn() id!: number;
    @PrivateFileColumn<Base>() file!: PrivateFile;
    // @ts-expect-error: not all that extend it are letters
    @PrivateFileColumn<Letter>() ofLetter!: PrivateFile;
  }
  class Letter extends Base {
    to!: string;
    @PrivateFileColumn<Letter>() optional?: PrivateFile;
    @PrivateFileColumn<Letter>() nullable!: PrivateFile | null;
    @PrivateFileColumn<Letter>() related?: Relation<PrivateFile> | null;
    @PrivateFileColumn<Letter>() protected readonly hidden!: PrivateFile;
    @PrivateFileColumn<Letter>() private secret!: PrivateFile;
    @PrivateFileColumn<Letter>() [name]!: PrivateFile;
    @PrivateFileColumn<Base>() ofParent!: PrivateFile;
    @PrivateFileColumn() ofAny!: PrivateFile;
    // biome-ignore lint/suspicious/noExplicitAny: a type that is not known is not refused
    @PrivateFileColumn<Letter>() unknownType!: any;
    // @ts-expect-error: a text is not a file
    @PrivateFileColumn<Letter>() text!: string;
    // @ts-expect-error: nor is it without the entity's type
    @PrivateFileColumn() textOfAny!: string | null;
    // @ts-expect-error: nor may it be a text
    @PrivateFileColumn<Letter>() either!: PrivateFile | string;
    // @ts-expect-error: several files are no file
    @PrivateFileColumn<Letter>() several!: PrivateFile[];
    // @ts-expect-error: a symbol's property may be a text as well
    @PrivateFileColumn<Letter>() [Symbol.toStringTag]!: string;
    // @ts-expect-error: a letter is not an invoice
    @PrivateFileColumn<Invoice>() ofInvoice!: PrivateFile;
    // @ts-expect-error: the class is not an entity
    @PrivateFileColumn<Letter>() static ofClass: PrivateFile;
    // @ts-expect-error: a method is not a file
    @PrivateFileColumn<Letter>() method(): string {
      return this.secret.name;
    }
  }
  class Pair<T> {
    other!: T;
    @PrivateFileColumn<Pair<unknown>>() file!: PrivateFile | null;
  }
  class Stamp {
    @PrivateFileColumn<Parcel>({ condition: (_ctx, parcel) => parcel.weight > 0 }) image!: PrivateFile | null;
    // @ts-expect-error: a stamp is not embedded in a letter
    @PrivateFileColumn<Letter>() ofLetter!: PrivateFile;
  }
  class Parcel {
    weight!: number;
    stamp?: Stamp | null;
  }
  // biome-ignore lint/suspicious/noExplicitAny: the compiler takes no other mixin
  function WithScan<B extends abstract new (...args: any[]) => object>(Parent: B) {
    abstract class Scanned extends Parent {
      @PrivateFileColumn() scan!: PrivateFile;
      // @ts-expect-error: a text is not a file
      @PrivateFileColumn() text!: string;
    }
    return Scanned;
  }
  [PrivateFileColumn(), PrivateFileColumn<Letter>()] satisfies PropertyDecorator[];
  return [Letter, Pair, Parcel, WithScan];
}

interface AppState {
  user: User;
}

interface AppExtras {
  tenant: string;
}

type AppContext = ParameterizedContext<AppState, AppExtras>;

/** Rules and hooks see the context of the application. */
function applicationContext(files: PrivateFiles, event: AfterDownloadEvent<Invoice, AppContext>) {
  const owned: Condition<Invoice, AppContext> = (ctx, invoice) => ctx.state.user.id === invoice.owner.id;
  PrivateFileColumn<Invoice, AppContext>({ condition: owned, where: (ctx) => ({ number: ctx.tenant }) });
  privateFileColumn<Invoice, AppContext>({ condition: owned });
  ({ condition: owned }) satisfies PrivateFileColumnOptions<Invoice, AppContext>;
  const told: DownloadEvent<Invoice, AppContext> = event;
  told.ctx.tenant satisfies string;
  told.entity?.number satisfies string | undefined;

  // @ts-expect-error: the state has no such property
  PrivateFileColumn<Invoice, AppContext>({ condition: (ctx) => ctx.state.usr !== undefined });
  // @ts-expect-error: nor has the context
  PrivateFileColumn<Invoice, AppContext>({ where: (ctx) => ({ number: ctx.tenat }) });
  // @ts-expect-error: the rule needs a context that the column does not promise
  PrivateFileColumn<Invoice>({ condition: owned });
  // @ts-expect-error: a state is not a context
  PrivateFileColumn<Invoice, AppState>();

  const app = new Koa<AppState, AppExtras>();
  const router = new Router<AppState, AppExtras>();
  router.use(files.routes()).use("/files", files.routes()).use(files.router.routes());
  app.use(router.routes()).use(files.routes());
  app.use(files.routes()).use((ctx) => {
    ctx.state.user.name satisfies string;
    // @ts-expect-error: the routes leave the state as it was
    ctx.state.usr;
  });
  new Koa().use(files.routes()).use(new Router().use(files.routes()).routes());
}

/** A route of any application may send a file of any entity. */
function sending(files: PrivateFiles, invoice: Invoice) {
  const router = new Router<AppState, AppExtras>();
  router.get("/invoices/:number", (ctx) => files.send(ctx, invoice, "scan") satisfies Promise<void>);
  new Koa<AppState, AppExtras>().use((ctx) => files.send(ctx, invoice, "profile.photo", { authorized: true }));
  new Koa().use((ctx) => files.send(ctx, invoice, "receipt", { attachment: false, filename: "receipt.pdf" }));
  const options: SendOptions = { cacheControl: "private, max-age=60" };
  router.use((ctx) => files.send(ctx, invoice, "scan", options));
  PrivateFileColumn<Invoice>({ cacheControl: (invoice) => `private, max-age=${invoice.number.length}` });
  PrivateFileColumn<Invoice>({ cacheControl: "no-store" });

  new Koa().use((ctx) => {
    // @ts-expect-error: a number is text, no file
    files.send(ctx, invoice, "number");
    // @ts-expect-error: a row that was not found has no file
    files.send(ctx, null, "scan");
    // @ts-expect-error: there is no such option
    files.send(ctx, invoice, "scan", { authorised: true });
    // @ts-expect-error: a promise of true is no true
    files.send(ctx, invoice, "scan", { authorized: Promise.resolve(true) });
    // @ts-expect-error: a name is text
    files.send(ctx, invoice, "scan", { filename: () => "a.pdf" });
    // @ts-expect-error: the request of Node is not Koa's context
    files.send(ctx.req, invoice, "scan");
  });
  // @ts-expect-error: nothing awaits it
  PrivateFileColumn<Invoice>({ cacheControl: async () => "no-store" });
  // @ts-expect-error: a row that is not published needs a value, too
  PrivateFileColumn<Invoice>({ cacheControl: () => undefined });
  // @ts-expect-error: an invoice has no price
  PrivateFileColumn<Invoice>({ cacheControl: (invoice) => `max-age=${invoice.price}` });
}

class InvoiceDownloadsOfApplication implements PrivateFileSubscriber<Invoice, AppContext> {
  beforeDownload({ ctx, entity }: BeforeDownloadEvent<Invoice, AppContext>) {
    ctx.state.user.name satisfies string;
    entity.number satisfies string;
    // @ts-expect-error: the state has no such property
    ctx.state.usr;
  }
  // @ts-expect-error: the request of another application has no such user
  downloadDenied(_event: DownloadDeniedEvent<Invoice, ParameterizedContext<{ user: { email: string } }>>) {}
}

/** An entity schema takes the same options. */
function schemaColumn() {
  new EntitySchema<Invoice>({
    name: "Invoice",
    columns: { scan: privateFileColumn<Invoice>({ condition: (_ctx, invoice) => invoice.number === "1" }) },
  });
  // @ts-expect-error: an invoice has no price
  privateFileColumn<Invoice>({ condition: (_ctx, invoice) => invoice.price === 1 });
}

/** Only the private file columns of an entity can be named. */
function properties(files: PrivateFiles, invoice: Invoice, source: Readable) {
  for (const property of ["scan", "receipt", "profile.photo"] as const) {
    property satisfies PrivateFileProperty<Invoice>;
    files.url(invoice, property) satisfies string;
    files.attach(invoice, property, source) satisfies Promise<PrivateFile>;
    files.open(invoice, property, { start: 0, end: 9 }) satisfies Promise<Readable>;
    files.stat(invoice, property);
    files.detach(invoice, property);
    files.adopt(invoice, property, "imports/1.pdf") satisfies Promise<PrivateFile>;
  }
  // @ts-expect-error: a number is text, no file
  files.url(invoice, "number");
  // @ts-expect-error: a relation is no file
  files.url(invoice, "owner");
  // @ts-expect-error: nor is an embedded entity
  files.attach(invoice, "profile", source);
  // @ts-expect-error: nor is its text
  files.attach(invoice, "profile.nickname", source);
  // @ts-expect-error: an invoice has no such property
  files.attach(invoice, "photo", source);
  // @ts-expect-error: a method is no file
  files.open(invoice, "title");
  // @ts-expect-error: an embedded entity has no such property
  files.detach(invoice, "profile.scan");
  // @ts-expect-error: a number is text, no file
  files.adopt(invoice, "number", "imports/1.pdf");
  // @ts-expect-error: a key is text
  files.adopt(invoice, "scan", invoice.scan);
}

/** A function may take the property from its caller. */
function genericProperty<E extends object>(files: PrivateFiles, entity: E, property: PrivateFileProperty<E>) {
  files.attach(entity, property, Buffer.of(1)) satisfies Promise<PrivateFile>;
  property satisfies string;
  // @ts-expect-error: not every entity has it
  files.attach(entity, "scan", Buffer.of(1));
}

/** What a request could have written is no upload. */
function uploadSources(files: PrivateFiles, invoice: Invoice, multerFile: TemporaryUpload, web: ReadableStream) {
  [Buffer.of(1), new Uint8Array(1), new Blob([]), fromPath("report.pdf"), multerFile, web] satisfies UploadSource[];
  files.attach(invoice, "scan", Buffer.from("text"), { filename: "a.pdf", type: "application/pdf" });
  // @ts-expect-error: a string is neither bytes nor a path
  files.attach(invoice, "scan", "report.pdf");
  // @ts-expect-error: JSON could have made this
  files.attach(invoice, "scan", { originalname: "report.pdf", size: 1 });
  // @ts-expect-error: and this
  files.attach(invoice, "scan", { type: "Buffer", data: [1, 2, 3] });
  // @ts-expect-error: and this, which looks like what fromPath makes
  files.attach(invoice, "scan", { path: "/etc/passwd", originalname: "x", size: 1 });
  // @ts-expect-error: and this, which looks like a file of formidable
  files.attach(invoice, "scan", { filepath: "/etc/passwd", originalFilename: "x", size: 1 });
  // @ts-expect-error: this is not where the bytes are, but what the row says
  files.attach(invoice, "scan", invoice.scan);
  // @ts-expect-error: nothing was uploaded
  files.attach(invoice, "scan", undefined);
  // @ts-expect-error: the name of an upload is text
  files.attach(invoice, "scan", Buffer.from("text"), { filename: 1 });
  // @ts-expect-error: a request's text can't be assigned to the column either
  invoice.scan = "uploads/of-another.pdf";
  // @ts-expect-error: a private file can't be changed into another
  invoice.scan.key = "uploads/of-another.pdf";
  // @ts-expect-error: nor made: a file comes from attach, adopt or a row
  invoice.scan = new PrivateFile("uploads/of-another.pdf");
  // @ts-expect-error: an object with the same properties is no file
  invoice.scan = { key: "uploads/of-another.pdf", name: "x", toJSON: () => ({ name: "x" }) };
  multerStorage({ directory: "/tmp" });
}

/** The files of a form go to private file columns, and its texts may be missing. */
async function forms(files: PrivateFiles, ctx: Context, invoice: Invoice, submission: { answer: PrivateFile }) {
  const parts = { file: [invoice, "scan"], photo: [invoice, "profile.photo", { filename: "a.png" }] } as const;
  const form = await files.receive(ctx, parts, { files: 2, onFields: (fields) => void fields.all("tag") });
  form.description satisfies string | undefined;
  form.all("tag") satisfies string[];
  await files.receive(ctx, { file: [invoice, "receipt"], answer: [submission, "answer"] });
  await files.receive(ctx, async ({ name }) => (name === "file" ? [invoice, "scan", { sha256: "0" }] : undefined));
  new Koa<{ user: User }>().use((context) => files.receive(context, { file: [invoice, "scan"] }));
  new Router().post("/", (context) => files.receive(context, { file: [invoice, "scan"] }));
  // @ts-expect-error: a field that is not in the form is undefined
  form.description satisfies string;
  // @ts-expect-error: texts can't be changed
  form.description = "";
  // @ts-expect-error: a number is text, no file
  await files.receive(ctx, { file: [invoice, "number"] });
  // @ts-expect-error: each entity has its own properties
  await files.receive(ctx, { file: [invoice, "scan"], answer: [submission, "scan"] });
  // @ts-expect-error: where the file goes is an entity and a property
  await files.receive(ctx, { file: invoice });
  // @ts-expect-error: a signal is for attach
  await files.receive(ctx, { file: [invoice, "scan", { signal: new AbortController().signal }] });
  // @ts-expect-error: a limit is a number
  await files.receive(ctx, { file: [invoice, "scan"] }, { fileSize: "1 MB" });
}

/** The events of a subscriber have the entity that it listens to. */
@EventSubscriber()
class InvoiceDownloads implements PrivateFileSubscriber<Invoice> {
  listenTo() {
    return Invoice;
  }
  async beforeDownload(event: BeforeDownloadEvent<Invoice>) {
    event.entity satisfies Invoice;
    await event.manager.increment(Invoice, { id: event.entity.id }, "number", 1);
    // @ts-expect-error: an invoice has no price
    event.entity.price;
    // @ts-expect-error: the range is absent for a whole file
    event.range.start;
    // @ts-expect-error: how much was sent is not known before
    event.bytesSent;
  }
  afterDownload(event: AfterDownloadEvent<Invoice>) {
    event.entity.number satisfies string;
    event.seconds satisfies number;
    // @ts-expect-error: it is absent where another server sent the file
    event.bytesSent satisfies number;
  }
  downloadDenied(event: DownloadDeniedEvent<Invoice>) {
    event.entity?.number satisfies string | undefined;
    // @ts-expect-error: a refused request may have found no row
    event.entity.number;
    // @ts-expect-error: there is no such step
    event.step === "deliver";
  }
}

class WrongSubscriber implements PrivateFileSubscriber<Invoice> {
  // @ts-expect-error: it is told of invoices, not of users
  beforeDownload(_event: BeforeDownloadEvent<User>) {}
}

/** A code can be looked at without a list of strings of one's own. */
function errorCodes(error: PrivateFileError) {
  error.code satisfies PrivateFileErrorCode;
  if (error.code === "ERR_PRIVATE_FILE_KEY_TAKEN") return;
  // @ts-expect-error: there is no such code
  if (error.code === "ERR_PRIVATE_FILE_TYPO") return;
}

/** A storage may leave out what it can't do, and nothing else. */
function storages(complete: Storage) {
  const { put, stat, read, delete: remove, list } = complete;
  ({ put, stat, read, delete: remove, list }) satisfies Storage;
  // @ts-expect-error: without `stat` nothing could be sent
  ({ put, read, delete: remove, list }) satisfies Storage;
}

const checkedByTheCompiler = [
  ...[columnOptions, decorators, applicationContext, InvoiceDownloadsOfApplication, schemaColumn],
  ...[sending, properties, genericProperty, uploadSources, forms, errorCodes, storages],
];

describe("the public types", () => {
  it("let the options of a column, the files of an entity and the events of a subscriber see the entity's type", () => {
    // It was compiled, or it would not run: so the lines above hold. These are the classes that they were compiled with.
    assert.equal(checkedByTheCompiler.length, 12);
    assert.deepEqual(
      [new InvoiceDownloads().listenTo(), new WrongSubscriber() instanceof WrongSubscriber],
      [Invoice, true],
    );
  });

  it("refuse at run time, too, the upload sources and options that they refuse", () => {
    assert.throws(() => PrivateFileColumn<Invoice>({ type: "bytea" } as object)(Invoice.prototype, "another"), {
      code: "ERR_PRIVATE_FILE_CONFIGURATION",
    });
    assert.throws(() => PrivateFileColumn<Invoice>({ upload_to: "uploads" } as object)(Invoice.prototype, "another"), {
      code: "ERR_PRIVATE_FILE_CONFIGURATION",
    });
    for (const option of ["insert", "update"]) {
      assert.throws(() => PrivateFileColumn<Invoice>({ [option]: false } as object)(Invoice.prototype, "another"), {
        code: "ERR_PRIVATE_FILE_CONFIGURATION",
        message: new RegExp(`^Invoice\\.another: unknown option "${option}"\\. Use one of uploadTo, `),
      });
    }
  });
});
