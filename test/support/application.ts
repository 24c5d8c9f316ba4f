import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Koa from "koa";
import { DiskStorage, type OpenObject, PrivateFiles, type PrivateFilesOptions } from "typeorm-private-files";
import { type Model, type OpenDatabase, sqljs, type TestDatabase } from "./databases.js";

/** An answer, whole. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** What a request says beside its path. */
export interface Ask {
  method?: string;
  headers?: OutgoingHttpHeaders;
  /** The name that the request is signed in with. */
  as?: string;
}

/** A Koa application with private files, listening on loopback. */
export interface Application extends OpenDatabase {
  files: PrivateFiles;
  storage: DiskStorage;
  app: Koa;
  port: number;
  /** What the Koa application reported as errors. */
  errors: Error[];
  /** Sends a path exactly as it is, and reads the whole answer. */
  get(path: string, ask?: Ask): Promise<Answer>;
}

/** What an application is started with. */
export interface StartOptions extends Model {
  database?: TestDatabase;
  /** Options of `PrivateFiles`; the storage is a new folder unless they name one. */
  options?: PrivateFilesOptions;
  /** Adds middleware before the routes. */
  before?: (app: Koa) => void;
}

/** Starts an application whose requests sign in with the header `x-user`. */
export async function startApplication({
  database = sqljs,
  options,
  before,
  ...model
}: StartOptions): Promise<Application> {
  const { dataSource, close } = await database.open(model);
  const folder = await mkdtemp(join(tmpdir(), "private-files-"));
  const storage = new DiskStorage(join(folder, "files"));
  const files = new PrivateFiles(dataSource, { storage, ...options });
  const errors: Error[] = [];
  const app = new Koa();
  app.on("error", (error: Error) => errors.push(error));
  app.use(async (ctx, next) => {
    const name = ctx.get("x-user");
    if (name) ctx.state.user = { id: name, name };
    await next();
  });
  before?.(app);
  app.use(files.routes());
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ...{ dataSource, files, storage, app, port, errors },
    get: (path, ask) => request(port, path, ask),
    async close() {
      await stop(server);
      await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Changes what the storage hands out when it opens an object: the rest stays the object's own. */
export function changeOpened({ storage }: Application, change: (object: OpenObject) => Partial<OpenObject>): void {
  const open = storage.open.bind(storage);
  storage.open = async (key) => {
    const object = (await open(key))!;
    const { size, modifiedAt } = object;
    const own = { size, modifiedAt, read: object.read.bind(object), close: object.close.bind(object) };
    return { ...own, ...change(object) };
  };
}

/** Sends a path exactly as it is to a port of loopback, and reads the whole answer. */
export async function request(
  port: number,
  path: string,
  { method = "GET", headers = {}, as }: Ask = {},
): Promise<Answer> {
  const signedIn = as === undefined ? {} : { "x-user": as };
  const outgoing = httpRequest({ host: "127.0.0.1", port, path, method, headers: { ...headers, ...signedIn } });
  outgoing.end();
  const [incoming] = (await once(outgoing, "response")) as [import("node:http").IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return { status: incoming.statusCode!, headers: incoming.headers, body: Buffer.concat(chunks) };
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}
