import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import multer from "@koa/multer";
import type { Context, Middleware } from "koa";
import { koaBody } from "koa-body";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { formErrors, formidableOptions, multerStorage, PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../../support/application.js";
import { type Body, CONTENT_TYPE } from "./form-body.js";

/** The entity whose file the forms bring. */
@Entity()
export class Submission {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "uploads" }) file!: PrivateFile;
}

/** The most bytes of a file that the parsers take. */
export const MOST_BYTES = 300_000;

/** What the routes do with a parsed form. The first segment of a path is the parser, the second one of these. */
export type Handlers = Record<string, (ctx: Context) => unknown>;

/** An application whose routes parse forms, each with every parser. */
export interface FormSite extends Application {
  /** The folder of the temporary files. */
  incoming: string;
  /** Sends a whole request, and gives the status of the answer. */
  send(path: string, body: Body, type?: string): Promise<number>;
  /** The names of the temporary files. */
  temporaryFiles(): Promise<string[]>;
}

/** The parsers, by the first segment of the paths. */
export const PARSERS = ["koa-body", "multer", "multer-memory"] as const;

/** Starts a site. */
export async function startFormSite(handlers: Handlers): Promise<FormSite> {
  const incoming = mkdtempSync(join(tmpdir(), "private-files-incoming-"));
  const parsers = parsersInto(incoming);
  const application = await startApplication({
    entities: [Submission],
    before(app) {
      app.use(formErrors());
      app.use(async (ctx, next) => {
        const [, parser, handler] = ctx.path.split("/");
        const parse = parsers[parser!];
        const handle = handlers[handler!];
        if (!parse || !handle) return next();
        if (handler === "unread") return handle(ctx);
        return parse(ctx, async () => handle(ctx));
      });
    },
  });
  return {
    ...application,
    incoming,
    send: (path, body, type) => send(application.port, path, body, type),
    temporaryFiles: () => readdir(incoming),
    async close() {
      await application.close();
      await rm(incoming, { recursive: true });
    },
  };
}

/** The file of a form, if it has exactly one in the field "file". */
export function fileOf(ctx: Context): never {
  const { file } = ctx as { file?: unknown };
  return (file ?? (ctx.request.files as { file?: unknown } | undefined)?.file) as never;
}

function parsersInto(incoming: string): Record<string, Middleware> {
  const limits = { fileSize: MOST_BYTES, files: 10, fields: 20, fieldNestingDepth: 3, fieldArrayIndexLimit: 20 };
  return {
    // Parses by itself.
    receive: (_ctx, next) => next(),
    "koa-body": koaBody({
      multipart: true,
      formidable: formidableOptions({ uploadDir: incoming, maxFileSize: MOST_BYTES }),
    }),
    multer: multer({ storage: multerStorage({ directory: incoming }), limits }).single("file") as never,
    "multer-memory": multer({ storage: multer.memoryStorage(), limits }).single("file") as never,
    // Takes every file, and only after a while, when the rest of the form may be wrong.
    "multer-any": multer({
      storage: multerStorage({ directory: incoming }),
      limits,
      fileFilter: (_request, _file, done) => setImmediate(done, null, true),
    }).any() as never,
  };
}

async function send(port: number, path: string, body: Body, type = CONTENT_TYPE): Promise<number> {
  const headers = { "Content-Type": type, "Content-Length": body.length };
  const outgoing = request({ host: "127.0.0.1", port, path, method: "POST", headers, agent: false });
  outgoing.end(body);
  const [incoming] = await once(outgoing, "response");
  incoming.resume();
  await once(incoming, "end");
  return incoming.statusCode;
}
