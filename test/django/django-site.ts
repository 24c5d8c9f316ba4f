import { chmod, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DataSource } from "typeorm";

/** What Django and django-private-files leave on a machine. */
export interface DjangoSite {
  /** The path of the SQLite database. */
  database: string;
  /** The folder of uploads. */
  mediaRoot: string;
  /** Removes both. */
  remove(): Promise<void>;
}

/** The rows of `app_filesubmission`, whose ids count from 1. One without bytes names a file that is gone, or none. */
export const SUBMISSIONS: { owner: "alice" | "bob"; value: string; bytes?: Buffer }[] = [
  { owner: "alice", value: "uploads/report.pdf", bytes: Buffer.from("%PDF-1.7 the first report") },
  { owner: "alice", value: "uploads/2024/05/üñí cödé (1).pdf", bytes: Buffer.from("%PDF-1.7 ünï") },
  { owner: "bob", value: "uploads/report_x7Kq2Zb.pdf", bytes: Buffer.from("%PDF-1.7 the second report") },
  { owner: "bob", value: `uploads/100% "it's" a %41 name.pdf`, bytes: Buffer.from("%PDF-1.7 quotes") },
  { owner: "alice", value: "uploads/nothing.txt", bytes: Buffer.alloc(0) },
  { owner: "alice", value: "uploads/film.mp4", bytes: Buffer.alloc(3_000_000, "a film of three megabytes ") },
  { owner: "alice", value: "uploads/shared.pdf", bytes: Buffer.from("%PDF-1.7 shared") },
  { owner: "alice", value: "uploads/shared.pdf", bytes: Buffer.from("%PDF-1.7 shared") },
  { owner: "alice", value: "uploads/gone.pdf" },
  { owner: "alice", value: "" },
];

/** Files in the folder of uploads that no row names: one that Django replaced, and one that everybody may see. */
export const UNNAMED = ["uploads/replaced.pdf", "avatars/face.png"];

/** Makes a database and a folder as `manage.py migrate` and some uploads leave them with Django 4 and 5. */
export async function makeDjangoSite(): Promise<DjangoSite> {
  const folder = await mkdtemp(join(tmpdir(), "private-files-"));
  const site = { database: join(folder, "db.sqlite3"), mediaRoot: join(folder, "media") };
  for (const { value, bytes } of SUBMISSIONS) if (bytes) await upload(site.mediaRoot, value, bytes);
  for (const key of [...UNNAMED, "downloadables/song.mp3"]) await upload(site.mediaRoot, key, Buffer.from(key));
  await writeFile(site.database, await migratedDatabase());
  return { ...site, remove: () => rm(folder, { recursive: true }) };
}

/** Everything below the folder of uploads, with what the file system says of it. */
export async function mediaOf({ mediaRoot }: Pick<DjangoSite, "mediaRoot">): Promise<string[]> {
  const paths = await readdir(mediaRoot, { recursive: true });
  const described = paths.map(async (path) => {
    const { mode, size, mtimeMs } = await stat(join(mediaRoot, path));
    return `${path} ${mode.toString(8)} ${size} ${mtimeMs}`;
  });
  return (await Promise.all(described)).sort();
}

/** Django gives files 0644, whatever the umask, and leaves folders to it. */
async function upload(mediaRoot: string, name: string, bytes: Buffer): Promise<void> {
  const path = join(mediaRoot, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  await chmod(path, 0o644);
  const uploaded = new Date("2024-05-17T09:30:00Z");
  await utimes(path, uploaded, uploaded);
}

async function migratedDatabase(): Promise<Uint8Array> {
  const dataSource = await new DataSource({ type: "sqljs" }).initialize();
  for (const statement of MIGRATIONS) await dataSource.query(statement);
  for (const [statement, ...values] of rows()) await dataSource.query(statement, values);
  const bytes = dataSource.sqljsManager.exportDatabase();
  await dataSource.destroy();
  return bytes;
}

function* rows(): Generator<[string, ...unknown[]]> {
  const user = `INSERT INTO "auth_user" ("password", "is_superuser", "username", "last_name", "email", "is_staff", "is_active", "date_joined", "first_name") VALUES ('!', 0, ?, '', '', 0, 1, '2024-05-17 09:00:00', '')`;
  const people = ["alice", "bob"];
  for (const name of people) yield [user, name];
  for (const { owner, value } of SUBMISSIONS) {
    const submission = `INSERT INTO "app_filesubmission" ("description", "uploaded_file", "owner_id") VALUES ('by Django', ?, ?)`;
    yield [submission, value, people.indexOf(owner) + 1];
  }
  for (const value of ["", null]) yield [`INSERT INTO "app_attachment" ("file") VALUES (?)`, value];
  const counted = `INSERT INTO "app_counteddownload" ("description", "downloadable", "downloads") VALUES (?, ?, ?)`;
  yield [counted, "a song", "downloadables/song.mp3", 41];
}

/** As `sqlmigrate` and `.schema` show them for the models of django-private-files' documentation, and one blank field. */
const MIGRATIONS = [
  `CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL)`,
  `INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0001_initial', '2024-05-17 08:59:58'), ('app', '0001_initial', '2024-05-17 08:59:59')`,
  `CREATE TABLE "auth_user" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "password" varchar(128) NOT NULL, "last_login" datetime NULL, "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE, "last_name" varchar(150) NOT NULL, "email" varchar(254) NOT NULL, "is_staff" bool NOT NULL, "is_active" bool NOT NULL, "date_joined" datetime NOT NULL, "first_name" varchar(150) NOT NULL)`,
  `CREATE TABLE "app_filesubmission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "description" varchar(200) NOT NULL, "uploaded_file" varchar(100) NOT NULL, "owner_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED)`,
  `CREATE INDEX "app_filesubmission_owner_id_ffd27ced" ON "app_filesubmission" ("owner_id")`,
  `CREATE TABLE "app_counteddownload" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "description" varchar(200) NOT NULL, "downloadable" varchar(100) NOT NULL, "downloads" integer unsigned NOT NULL CHECK ("downloads" >= 0))`,
  `CREATE TABLE "app_attachment" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "file" varchar(100) NULL)`,
];
