import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Middleware } from "koa";
import { DataSource, type DataSourceOptions } from "typeorm";
import { DiskStorage, type PrivateFiles } from "typeorm-private-files";
import { CountedDownload, DownloadCounter, FileSubmission, User } from "../../../docs/examples/django/models.js";
import { DjangoSession } from "../../../docs/examples/django/session.js";
import { type Application, startApplication } from "../../support/application.js";
import type { Model } from "../../support/databases.js";
import { run } from "../../support/programs.js";
import { after, before, describe } from "../../support/suite.js";
import { type Databases, djangoDatabases } from "./databases.js";
import { Django, type DjangoRow, withoutDjango } from "./django.js";
import { Attachment, Profile } from "./models.js";

/** An application on a site that Django made. */
export interface RealSite extends Application {
  /** Django, on the same database and MEDIA_ROOT. */
  django: Django;
  /** The folder of Django's files. */
  mediaRoot: string;
  /** What Django read before TypeORM came. */
  rows: DjangoRow[];
  /** What Django reads now. */
  readByDjango(): Promise<DjangoRow[]>;
}

/** What a site is started with. */
interface RealSiteOptions {
  /** (default: those of the documentation, and the others of the project) */
  entities?: (new () => object)[];
  /** Makes the middleware that stands before the routes. */
  use?(files: PrivateFiles): Middleware;
}

/** Starts an application on a copy of the site, which is removed at the end of a test, or of all tests. */
export type StartRealSite = (t: Ending | "all tests", options?: RealSiteOptions) => Promise<RealSite>;

interface Ending {
  after(fn: () => Promise<void>): void;
}

/** Runs the same tests on a site of each kind of database. Django makes each of the sites once; each test has a copy. */
export function describeOnRealSites(title: string, define: (start: StartRealSite, kind: string) => void): void {
  for (const { name, skip, open } of djangoDatabases) {
    describe(`${title}, which Django made on ${name},`, { skip: withoutDjango || skip }, () => {
      let original: Original;
      before(async () => {
        original = await makeOriginal(open);
      });
      after(() => original?.close());
      define((t, options) => startCopy(t === "all tests" ? original : t, original, options), name);
    });
  }
}

/** The site as Django made it. Its end is that of all tests. */
interface Original extends Ending {
  django: Django;
  folder: string;
  databases: Databases;
  database: string;
  mediaRoot: string;
  rows: DjangoRow[];
  close(): Promise<void>;
}

async function makeOriginal(open: (folder: string) => Promise<Databases>): Promise<Original> {
  const folder = await mkdtemp(join(tmpdir(), "private-files-"));
  const mediaRoot = join(folder, "media");
  await mkdir(mediaRoot);
  const databases = await open(folder);
  const database = await databases.create();
  const django = Django.start(databases.forDjango(database), mediaRoot);
  const endings: (() => Promise<void>)[] = [];
  async function close(): Promise<void> {
    for (const end of endings) await end();
    await django.close();
    await databases.drop(database);
    await databases.close();
    await rm(folder, { recursive: true });
  }
  try {
    const rows = await django.run<DjangoRow[]>("make");
    await django.run("leave");
    return { django, folder, databases, database, mediaRoot, rows, after: (end) => void endings.push(end), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startCopy(
  t: Ending,
  original: Original,
  { entities = ENTITIES, use }: RealSiteOptions = {},
): Promise<RealSite> {
  const { django, databases } = original;
  const database = await databases.copy(original.database);
  const mediaRoot = await mkdtemp(join(original.folder, "copy-"));
  await run("cp", "-a", `${original.mediaRoot}/.`, mediaRoot);
  await django.run("use", { database, media_root: mediaRoot });
  const options = databases.forTypeorm(database);
  const storage = new DiskStorage(mediaRoot, { fileMode: 0o644, folderMode: 0o755 });
  let middleware: Middleware | undefined;
  const application = await startApplication({
    entities,
    subscribers: entities === ENTITIES ? [DownloadCounter] : [],
    options: { storage },
    database: { name: options.type, open: (model) => openExisting(options, model) },
    before(app) {
      app.use(signInById);
      app.use((ctx, next) => (middleware ? middleware(ctx, next) : next()));
    },
  });
  middleware = use?.(application.files);
  t.after(async () => {
    await application.close();
    await django.run("leave");
    await databases.drop(database);
    await rm(mediaRoot, { recursive: true });
  });
  // One of the values is an absolute path.
  const rows = JSON.parse(JSON.stringify(original.rows).replaceAll(original.mediaRoot, mediaRoot));
  const readByDjango = () => django.run<DjangoRow[]>("read");
  return { ...application, storage, django, mediaRoot, rows, readByDjango };
}

async function openExisting(options: DataSourceOptions, { entities, subscribers }: Model) {
  const dataSource = new DataSource({ ...options, entities, subscribers } as DataSourceOptions);
  await dataSource.initialize();
  return { dataSource, close: () => dataSource.destroy() };
}

const ENTITIES: (new () => object)[] = [User, FileSubmission, CountedDownload, Attachment, Profile, DjangoSession];

/** Django counts its users from 1. */
const signInById: Middleware = (ctx, next) => {
  if (ctx.state.user) ctx.state.user = { id: ["alice", "bob"].indexOf(ctx.state.user.name) + 1 };
  return next();
};
