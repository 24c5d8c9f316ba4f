import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BeforeDownloadEvent } from "typeorm-private-files";
import { type Cuts, startCuttingProxy } from "../support/cutting-proxy.js";
import { eventually } from "../support/eventually.js";
import { withFilm } from "../support/film.js";
import { run } from "../support/programs.js";
import { needs, takesLong } from "../support/requirements.js";
import { after, afterEach, before, beforeEach, describe, it } from "../support/suite.js";
import { countDescriptors, type LargeFilm, serveLargeFilm, sha256Of } from "./large-film.js";

/** Not a multiple of anything. */
const SIZE = 500_000_003;

describe("a file of 500 MB", { skip: takesLong }, () => {
  let film: LargeFilm;
  let url: string;
  let target: string;
  let descriptors: number;

  before(async () => {
    film = await serveLargeFilm(SIZE);
    url = `http://127.0.0.1:${film.application.port}${film.path}`;
    target = film.target("film.mp4");
    await film.application.get(film.path, { headers: { Range: "bytes=0-9", Connection: "close" } });
    await sleep(100);
    descriptors = await countDescriptors();
  });
  after(() => film?.close());
  beforeEach(() => film.forget());
  afterEach(async () => {
    await rm(target, { force: true });
    await eventually(async () => assert.ok((await countDescriptors()) <= descriptors, "a descriptor was left open"));
  });

  describe("to curl", { skip: needs("curl") }, () => {
    it("is resumed by -C - where a killed curl left off, and counted once", async () => {
      await killInTheMiddle("curl", "-s", "--limit-rate", "20M", "-o", target, url);
      const had = (await stat(target)).size;
      await succeed("curl", "-sf", "-C", "-", "-o", target, url);
      await assertWhole();
      assert.deepEqual(answers(), ["200", `206 bytes=${had}-`]);
      assert.equal(await film.downloads(), 1);
    });

    it("is completed by -C - after a first part that was asked for by itself, and counted once", async () => {
      await succeed("curl", "-sf", "--range", "0-123456788", "-o", target, url);
      await succeed("curl", "-sf", "-C", "-", "-o", target, url);
      await assertWhole();
      assert.deepEqual(answers(), ["206 bytes=0-123456788", "206 bytes=123456789-"]);
      assert.equal(await film.downloads(), 1);
    });

    it("is left as it is by -C - where nothing is missing: 416 for what lies behind the end", async () => {
      await succeed("curl", "-sf", "-o", target, url);
      await run("curl", "-sf", "-C", "-", "-o", target, url);
      await assertWhole();
      assert.deepEqual(answers(), ["200", `416 bytes=${SIZE}-`]);
      assert.equal(await film.downloads(), 1);
    });

    it("arrives whole with --retry on a network that cuts the connection twice", async () => {
      const retry = ["--retry", "3", "--retry-delay", "1", "--retry-all-errors"];
      await throughCuts({ after: 50_000_000, times: 2 }, (cut) => succeed("curl", "-sf", ...retry, "-o", target, cut));
      await assertWhole();
    });
  });

  describe("to wget", { skip: needs("wget") }, () => {
    it("is resumed by -c where a killed wget left off, and counted once", async () => {
      await killInTheMiddle("wget", "-q", "--limit-rate=20m", "-O", target, url);
      const had = (await stat(target)).size;
      await succeed("wget", "-q", "-c", "-O", target, url);
      await assertWhole();
      assert.deepEqual(answers(), ["200", `206 bytes=${had}-`]);
      assert.equal(await film.downloads(), 1);
    });

    it("arrives whole with --tries on a network that cuts the connection twice, and is counted once", async () => {
      const wget = ["-q", "-c", "--tries=5", "--waitretry=0"];
      await throughCuts({ after: 150_000_000, times: 2 }, (cut) => succeed("wget", ...wget, "-O", target, cut));
      await assertWhole();
      assert.deepEqual(statuses(), [200, 206, 206]);
      assert.equal(await film.downloads(), 1);
    });
  });

  describe("to aria2c", { skip: needs("aria2c") }, () => {
    for (const options of [[], ["--min-split-size=1M"]]) {
      it(`arrives whole over 8 connections at once, and is counted once: -x 8 -s 8 ${options.join(" ")}`, async () => {
        await succeed("aria2c", ...aria2c(), ...options, url);
        await assertWhole();
        assert.ok(film.seen.filter(({ method }) => method === "GET").length >= 8, answers().join("\n"));
        assert.ok(statuses().filter((status) => status === 206).length >= 7, answers().join("\n"));
        assert.ok(new Set(film.seen.map(({ connection }) => connection)).size >= 8);
        assert.equal(await film.downloads(), 1);
      });
    }

    it("arrives whole on a network that cuts 12 connections, and is counted once", async () => {
      const cuts = { after: 20_000_000, times: 12 };
      await throughCuts(cuts, (cut) => succeed("aria2c", ...aria2c(), "--max-tries=20", cut));
      await assertWhole();
      assert.equal(await film.downloads(), 1);
    });
  });

  describe("to Python's http.client", { skip: needs("python3") }, () => {
    it("answers HEAD, ranges and the whole file over one connection that is kept alive", async () => {
      const answer = JSON.parse(await succeed("python3", "-c", PYTHON, String(film.application.port), film.path));
      assert.deepEqual(answer, {
        head: [200, String(SIZE), 0],
        part: [206, `bytes 1000-1999/${SIZE}`, 1000],
        tail: [206, `bytes ${SIZE - 7}-${SIZE - 1}/${SIZE}`, 7],
        unchanged: [304, null, 0],
        whole: [200, SIZE, film.sha256],
      });
      assert.equal(new Set(film.seen.map(({ connection }) => connection)).size, 1);
    });
  });

  function aria2c(): string[] {
    return [
      "-x",
      "8",
      "-s",
      "8",
      "-q",
      "--no-conf",
      "--file-allocation=none",
      "-d",
      dirname(target),
      "-o",
      basename(target),
    ];
  }

  async function killInTheMiddle(command: string, ...args: string[]): Promise<void> {
    const child = spawn(command, args, { stdio: "ignore" });
    await eventually(async () => assert.ok((await stat(target)).size > 20_000_000));
    child.kill("SIGKILL");
    await once(child, "close");
    assert.ok((await stat(target)).size < SIZE, "it was done before it was killed");
  }

  async function assertWhole(): Promise<void> {
    assert.equal((await stat(target)).size, SIZE);
    assert.equal(await sha256Of(target), film.sha256);
  }

  /** Uses the film on a network that cuts connections, and sees that it did. */
  async function throughCuts(cuts: Cuts, use: (url: string) => Promise<unknown>): Promise<void> {
    const proxy = await startCuttingProxy(film.application.port, cuts);
    try {
      await use(`http://127.0.0.1:${proxy.port}${film.path}`);
      assert.equal(proxy.cut, cuts.times);
    } finally {
      await proxy.close();
    }
  }

  function answers(): string[] {
    return film.seen.map(({ status, range }) => `${status} ${range}`.trim());
  }

  function statuses(): number[] {
    return film.seen.map(({ status }) => status);
  }
});

describe("a newer version of a file to zsync", { skip: needs("zsync", "zsyncmake") }, () => {
  it("arrives as 20 ranges in one answer, whole, where the older version differs in 40 places", async (t) => {
    const newer = randomBytes(4_000_000);
    const seen: unknown[] = [];
    const beforeDownload = ({ ctx, begins }: BeforeDownloadEvent) =>
      void seen.push([ctx.get("range").split(",").length, begins]);
    const { application, path, url } = await withFilm(t, { content: newer, beforeDownload });
    const folder = await mkdtemp(join(tmpdir(), "private-files-zsync-"));
    t.after(() => rm(folder, { recursive: true }));
    const [older, control, target] = ["older", "control", "target"].map((name) => join(folder, name)) as string[];
    for (let place = 50_000; place < 3_600_000; place += 90_001) newer[place]! ^= 1;
    await writeFile(older!, newer);
    const origin = `http://127.0.0.1:${application.port}`;
    await succeed("zsyncmake", "-u", origin + url, "-o", control!, path);
    // Where it can't read an answer, zsync asks again for ever.
    await succeed("timeout", "20", "zsync", "-q", "-i", older!, "-o", target!, control!);
    assert.deepEqual(await readFile(target!), await readFile(path));
    assert.deepEqual(seen, [
      [20, false],
      [20, false],
    ]);
  });
});

async function succeed(command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command, ...args);
  assert.equal(code, 0, stderr.slice(-1000) || stdout.slice(-1000));
  return stdout;
}

const PYTHON = `
import hashlib, http.client, json, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))

def ask(method, **headers):
    connection.request(method, sys.argv[2], headers={name.replace("_", "-"): value for name, value in headers.items()})
    return connection.getresponse()

head = ask("HEAD")
result = {"head": [head.status, head.getheader("Content-Length"), len(head.read())]}
for name, wanted in {"part": "bytes=1000-1999", "tail": "bytes=-7"}.items():
    part = ask("GET", Range=wanted)
    result[name] = [part.status, part.getheader("Content-Range"), len(part.read())]
same = ask("GET", If_None_Match=head.getheader("ETag"))
result["unchanged"] = [same.status, same.getheader("Content-Length"), len(same.read())]
whole, hash, size = ask("GET"), hashlib.sha256(), 0
while block := whole.read(1 << 20):
    hash.update(block)
    size += len(block)
result["whole"] = [whole.status, size, hash.hexdigest()]
print(json.dumps(result))
`;
