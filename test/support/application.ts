import type Koa from "koa";
import type { OpenObject } from "typeorm-private-files";
import {
  type ApplicationOptions,
  type Application as BareApplication,
  startApplication as startBareApplication,
} from "../../src/testing/fixture/application.js";
import { type Answer, type Ask as BareAsk, get as bareGet } from "../../src/testing/fixture/http-client.js";
import { type Model, sqljs, type TestDatabase } from "./databases.js";

export type { Answer };

/** What a request says beside its path. */
export interface Ask extends BareAsk {
  /** The name that the request is signed in with. */
  as?: string;
}

/** An application whose requests can sign in. Its `close` closes the data source, too. */
export interface Application extends BareApplication {
  get(path: string, ask?: Ask): Promise<Answer>;
}

/** What an application is started with. */
export interface StartOptions extends Model, ApplicationOptions {
  database?: TestDatabase;
}

/** Starts an application whose requests sign in with the header `x-user`. */
export async function startApplication({
  database = sqljs,
  options,
  before,
  ...model
}: StartOptions): Promise<Application> {
  const { dataSource, close } = await database.open(model);
  const application = await startBareApplication(dataSource, {
    options,
    before(app) {
      signIn(app);
      before?.(app);
    },
  });
  return {
    ...application,
    get: (path, ask) => get(application.port, path, ask),
    async close() {
      await application.close();
      await close();
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

/** Asks a server on loopback for a path exactly as it is, and reads the whole answer. */
export function get(port: number, path: string, { as, headers, ...ask }: Ask = {}): Promise<Answer> {
  const signedIn = as === undefined ? {} : { "x-user": as };
  return bareGet(port, path, { ...ask, headers: { ...headers, ...signedIn } });
}

function signIn(app: Koa): void {
  app.use(async (ctx, next) => {
    const name = ctx.get("x-user");
    if (name) ctx.state.user = { id: name, name };
    await next();
  });
}
