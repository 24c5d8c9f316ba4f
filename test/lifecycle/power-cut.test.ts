import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeOnEachDatabase, sharedDatabases } from "../support/databases.js";
import { needs } from "../support/requirements.js";
import { after, before, it } from "../support/suite.js";
import { CrashSite } from "./crash-site.js";

const CALLS = "openat,mkdir,mkdirat,link,linkat,unlink,unlinkat,fsync,fdatasync,pwrite64";

/** With what SQLite keeps a transaction over a power cut: its default, and the right setting for a write-ahead log. */
const PRAGMAS = { "a rollback journal": "journal_mode = DELETE", "a write-ahead log": "synchronous = FULL" };

describeOnEachDatabase(
  "A replacement before a power cut",
  (database) => {
    let site: CrashSite;
    let folder: string;
    before(async () => {
      site = await CrashSite.open(database);
      folder = await mkdtemp(join(tmpdir(), "private-files-"));
    });
    after(async () => {
      await site.close();
      await rm(folder, { recursive: true });
    });

    for (const [journal, pragma] of Object.entries(PRAGMAS)) {
      it(`is on the disk step by step, and the old file goes last, with ${journal}`, {
        skip: needs("strace"),
      }, async () => {
        const trace = join(folder, "trace");
        await site.run("replace", { pragma }, "strace", "-f", "-y", "-o", trace, "-e", `trace=${CALLS}`);
        const steps = stepsOf(await readFile(trace, "utf8"), site.root).join(", ");
        assert.match(
          steps,
          /^create, sync bytes, mkdir, sync parent, link, sync folder, (write database, sync database, )+unlink old$/,
        );
      });
    }
  },
  sharedDatabases.filter(({ name }) => name === "better-sqlite3"),
);

/** From the first file on that nobody had: what becomes of files and the database, once where it comes several times in a row. */
function stepsOf(trace: string, root: string): string[] {
  const steps = trace.split("\n").map((line) => stepOf(line.replaceAll(root, "ROOT")));
  const upload = steps.slice(steps.indexOf("create")).filter((step) => step !== undefined);
  return upload.filter((step, index) => step !== upload[index - 1]);
}

function stepOf(line: string): string | undefined {
  return STEPS.find(([pattern]) => pattern.test(line))?.[1];
}

const STEPS: [RegExp, string][] = [
  [/openat\(.*O_CREAT\|O_EXCL.*= \d+<ROOT\/\.incomplete\//, "create"],
  [/fdatasync\(\d+<ROOT\/\.incomplete\//, "sync bytes"],
  [/mkdir(at)?\(.*\/proc\/self\/fd\//, "mkdir"],
  [/fsync\(\d+<ROOT\/letters>/, "sync parent"],
  [/ link(at)?\(.*\/new-/, "link"],
  [/fsync\(\d+<ROOT\/letters\/\w+>/, "sync folder"],
  [/pwrite64\(\d+<.*\.sqlite(-wal|-journal)?>/, "write database"],
  [/f(data)?sync\(\d+<.*\.sqlite(-wal|-journal)?>/, "sync database"],
  [/unlink(at)?\(.*\/old-/, "unlink old"],
];
