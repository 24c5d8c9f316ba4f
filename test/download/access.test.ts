import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { rename, rm, writeFile } from "node:fs/promises";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type Koa from "koa";
import {
  Entity,
  EventSubscriber,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  Repository,
} from "typeorm";
import {
  type BeforeDownloadEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
} from "typeorm-private-files";
import { type Answer, type Application, type Ask, startApplication } from "../support/application.js";
import { openConnection, readAll } from "../support/connection.js";
import { eventually } from "../support/eventually.js";
import { descriptorsUnder } from "../support/storage-disk.js";

const people = ["alice", "bob", "carol"];
const fields = ["file", "shown", "hidden"] as const;
type Field = (typeof fields)[number];

@Entity()
class User {
  @PrimaryColumn({ length: 50 }) id!: string;
}

const isOwner = async (ctx: Koa.Context, paper: Paper) => {
  await whileAsked(paper, ctx);
  return paper.owner.id === ctx.state.user?.id;
};
const owned = { nullable: true, condition: isOwner, relations: { owner: true } };

@Entity()
class Paper {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => User, { nullable: false }) owner!: Relation<User>;
  @PrivateFileColumn<Paper>(owned) file!: PrivateFile | null;
  @PrivateFileColumn<Paper>({ ...owned, attachment: false }) shown!: PrivateFile | null;
  @PrivateFileColumn<Paper>({ ...owned, select: false }) hidden!: PrivateFile | null;
}

@EventSubscriber()
class Meanwhile implements PrivateFileSubscriber<Paper> {
  listenTo() {
    return Paper;
  }
  async beforeDownload({ ctx }: BeforeDownloadEvent) {
    hooks++;
    await whileAnnounced(ctx);
  }
  afterDownload({ aborted, bytesSent }: { aborted: boolean; bytesSent?: number }) {
    reports.push({ aborted, bytesSent });
  }
}

/** What happens while the condition, or the hook, is awaited. */
let whileAsked: (paper: Paper, ctx: Koa.Context) => unknown;
let whileAnnounced: (ctx: Koa.Context) => unknown;
let hooks = 0;
const reports: { aborted: boolean; bytesSent?: number }[] = [];

let application: Application;
let papers: Paper[];

before(async () => {
  application = await startApplication({ entities: [User, Paper], subscribers: [Meanwhile] });
  papers = await savePapers(application);
});
after(() => application.close());
beforeEach(() => {
  whileAsked = () => {};
  whileAnnounced = () => {};
  hooks = 0;
  reports.length = 0;
});

describe("three people, three owners, three columns", () => {
  const kinds: Record<string, (etag: string) => Ask & { status: number }> = {
    GET: () => ({ status: 200 }),
    HEAD: () => ({ method: "HEAD", status: 200 }),
    Range: () => ({ headers: { Range: "bytes=0-2" }, status: 206 }),
    "If-None-Match": (etag) => ({ headers: { "If-None-Match": etag }, status: 304 }),
  };
  for (const [kind, ask] of Object.entries(kinds)) {
    it(`are 27 cells for ${kind}, of which the 9 of the owners are granted and 18 answer 403 without a trace of the file`, async () => {
      let granted = 0;
      for (const paper of papers) {
        for (const field of fields) {
          const url = application.files.url(paper, field);
          const { etag } = (await application.get(url, { as: paper.owner.id })).headers;
          for (const as of people) {
            const { status, ...how } = ask(etag!);
            const answer = await application.get(url, { as, ...how });
            if (as === paper.owner.id) granted++;
            const cell = `${as} asks for ${field} of ${paper.owner.id}`;
            if (as === paper.owner.id) assert.equal(answer.status, status, cell);
            else assertNoTrace(answer, contentOf(paper.owner.id, field), 403, cell);
          }
        }
      }
      assert.equal(granted, 9);
    });
  }

  it("answer 403 to those who say who they are in the URL, in a cookie or in another header", async () => {
    const url = application.files.url(papers[0]!, "file");
    const others: Ask["headers"][] = [
      { Cookie: "user=alice; x-user=alice" },
      { Authorization: "Basic YWxpY2U6YWxpY2U=" },
      { "X-Forwarded-User": "alice", "X-Remote-User": "alice", From: "alice" },
    ];
    for (const headers of others) assert.equal((await application.get(url, { headers })).status, 403);
    assert.equal((await application.get(`${url}?x-user=alice&user=alice`)).status, 403);
  });
});

describe("the last segment of a URL", () => {
  it("is the name that the file has now: a twin in another Unicode form, and the name before a replacement, are 404", async () => {
    const paper = await savePaper(application, "alice", "Gru\u0308ße é.pdf");
    const url = application.files.url(paper, "file");
    const get = (path: string) => application.get(path, { as: "alice" });
    assert.equal((await get(url)).status, 200);
    const name = decodeURIComponent(url.slice(url.lastIndexOf("/") + 1));
    const twin = encodeURIComponent(name.normalize("NFD"));
    assert.notEqual(twin, encodeURIComponent(name));
    assert.equal((await get(url.replace(/[^/]*$/, twin))).status, 404);
    await application.files.attach(paper, "file", Buffer.from("new"), { filename: "new.pdf" });
    await application.dataSource.manager.save(paper);
    assert.equal((await get(url)).status, 404);
    assert.equal((await get(application.files.url(paper, "file"))).body.toString(), "new");
  });

  it("is no way to another record's file: its name, or another column's, is 404", async () => {
    const [mine, other] = [
      await savePaper(application, "alice", "mine.pdf"),
      await savePaper(application, "bob", "other.pdf"),
    ];
    const url = application.files.url(mine, "file");
    for (const name of [other.file!.name, "alice-hidden.txt", encodeURIComponent(other.file!.key)]) {
      assert.equal((await application.get(url.replace(/[^/]*$/, name), { as: "alice" })).status, 404, name);
    }
  });
});

describe("what changes while a request is answered", () => {
  it("leaves the version that was checked, where its file is still there: replaced while the condition is asked", async () => {
    const paper = await savePaper(application, "alice", "v1.txt");
    whileAsked = async () => {
      const file = await application.files.attach(new Paper(), "file", Buffer.from("new"), { filename: "v2.txt" });
      await application.dataSource.manager.update(Paper, paper.id, { file });
    };
    const answer = await application.get(application.files.url(paper, "file"), { as: "alice" });
    assert.deepEqual([answer.status, answer.body.toString()], [200, "v1.txt"]);
  });

  it("leaves the new version, which is asked for anew, where a file of the same name took the place of the other", async () => {
    const paper = await savePaper(application, "alice", "v1.txt");
    const asked: string[] = [];
    whileAsked = async ({ file }) => {
      asked.push(file!.key);
      if (asked.length === 1) await replace(paper, "v1.txt", "new");
    };
    const answer = await application.get(application.files.url(paper, "file"), { as: "alice" });
    assert.deepEqual([answer.status, answer.body.toString()], [200, "new"]);
    assert.deepEqual([asked.length, new Set(asked).size], [2, 2]);
    assert.equal(
      application.errors.some(({ message }) => message.includes("does not have")),
      false,
    );
  });

  it("leaves nobody the new version whom its rule refuses", async () => {
    const paper = await savePaper(application, "alice", "v1.txt");
    whileAsked = async () => {
      await replace(paper, "v1.txt", "new");
      await application.dataSource.manager.update(Paper, paper.id, { owner: { id: "bob" } });
    };
    assert.equal((await application.get(application.files.url(paper, "file"), { as: "alice" })).status, 403);
  });

  it("leaves 404 where one replacement follows on the other", async () => {
    const paper = await savePaper(application, "alice", "v1.txt");
    let asked = 0;
    whileAsked = () => replace(paper, "v1.txt", `${++asked}`);
    assert.equal((await application.get(application.files.url(paper, "file"), { as: "alice" })).status, 404);
    assert.ok(asked < 5);
  });

  it("leaves 404, where the file of the version that was checked is gone: replaced or deleted meanwhile", async () => {
    const { manager } = application.dataSource;
    for (const change of [
      (paper: Paper) => replace(paper, "v2.txt"),
      (paper: Paper) => manager.remove(manager.create(Paper, { id: paper.id })),
    ]) {
      const paper = await savePaper(application, "alice", "v1.txt");
      const url = application.files.url(paper, "file");
      whileAsked = () => change(paper);
      assertNoTrace(await application.get(url, { as: "alice" }), "v1.txt", 404);
      whileAsked = () => {};
    }
  });

  it("leaves the file that was checked, with its own tag: another one is put in its place while the hook runs", async () => {
    const paper = await savePaper(application, "alice", "v1.txt");
    const url = application.files.url(paper, "file");
    const { etag } = (await application.get(url, { as: "alice" })).headers;
    const path = application.storage.path(paper.file!.key);
    whileAnnounced = async () => {
      await writeFile(`${path}.new`, "somebody else's and longer");
      await rename(`${path}.new`, path);
    };
    const answer = await application.get(url, { as: "alice" });
    assert.deepEqual([answer.status, answer.body.toString(), answer.headers.etag], [200, "v1.txt", etag]);
  });
});

describe("hideDenied", () => {
  let hidden: Application;
  let urls: Record<"missing row" | "denied" | "missing file", string>;
  before(async () => {
    hidden = await startApplication({ entities: [User, Paper], options: { hideDenied: true } });
    const [paper, lost] = await savePapers(hidden);
    await rm(hidden.storage.path(lost!.file!.key));
    await hidden.dataSource.manager.update(Paper, lost!.id, { owner: { id: "carol" } });
    const url = hidden.files.url(paper!, "file");
    urls = {
      "missing row": url.replace("/1/", "/9/"),
      denied: url,
      "missing file": hidden.files.url(lost!, "file"),
    };
  });
  after(() => hidden.close());

  for (const [kind, head] of [
    ["GET", "GET %s HTTP/1.1"],
    ["HEAD", "HEAD %s HTTP/1.1"],
    ["Range", "GET %s HTTP/1.1\r\nRange: bytes=0-1"],
    ["If-None-Match", "GET %s HTTP/1.1\r\nIf-None-Match: *"],
  ] as const) {
    it(`answers ${kind} for a missing row, a refused and a missing file with the same bytes`, async (t) => {
      const answers = new Set<string>();
      for (const url of Object.values(urls)) {
        const answer = await raw(t, hidden, `${head.replace("%s", url)}\r\nHost: x\r\nx-user: carol\r\n`);
        assert.match(answer, /^HTTP\/1\.1 404 Not Found\r\n/);
        answers.add(answer.replace(/\r\nDate: [^\r]*/, ""));
      }
      assert.equal(answers.size, 1, [...answers].join("\n"));
    });
  }

  it("takes as long for a missing row as for a refused file and a missing one: less than 1 ms more or less", async () => {
    // Anything else on the machine may slow one of them down for a while.
    let gap = Number.POSITIVE_INFINITY;
    for (let batch = 0; batch < 50 && gap >= 1; batch++) gap = await gapOf(hidden, Object.values(urls), 340);
    assert.ok(gap < 1, `${gap} ms`);
  });
});

describe("what a request says of itself", () => {
  it("never gets into an address or a header: Host, X-Forwarded-Host and the URL's own host", async (t) => {
    const seen: string[] = [];
    const site = await startApplication({
      entities: [User, Paper],
      options: { baseUrl: "https://files.example" },
      before: (app) =>
        app.use(async (ctx, next) => {
          await next();
          seen.push(site.files.url(paper!, "file"));
          ctx.set("Link", `<${seen.at(-1)}>; rel="canonical"`);
        }),
    });
    t.after(() => site.close());
    const [paper] = await savePapers(site);
    const url = site.files.url(paper!, "file").slice("https://files.example".length);
    const heads = [
      `GET ${url} HTTP/1.1\r\nHost: evil:x@good`,
      `GET ${url} HTTP/1.1\r\nHost: good\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: evil\r\nForwarded: host=evil.example`,
      `GET http://evil.example${url} HTTP/1.1\r\nHost: evil.example`,
      `GET ${url} HTTP/1.0`,
    ];
    for (const head of heads) {
      const answer = await raw(t, site, `${head}\r\nx-user: alice\r\n`);
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/, head);
      assert.doesNotMatch(answer, /evil/);
    }
    assert.deepEqual(new Set(seen), new Set([`https://files.example${url}`]));
  });

  it("answers 400 without a Host where HTTP/1.1 asks for one, and 404 to an address that begins with two slashes", async (t) => {
    const url = application.files.url(papers[0]!, "file");
    assert.match(await raw(t, application, `GET ${url} HTTP/1.1\r\nx-user: alice\r\n`), /^HTTP\/1\.1 400 /);
    for (const target of [`//evil.example${url}`, `/${url}`]) {
      const answer = await raw(t, application, `GET ${target} HTTP/1.1\r\nHost: x\r\nx-user: alice\r\n`);
      assert.match(answer, /^HTTP\/1\.1 404 /, target);
    }
  });

  it("sets no cookie and varies nothing, whatever is answered to whichever cookie", async () => {
    const [paper] = papers;
    const url = application.files.url(paper!, "file");
    const { etag } = (await application.get(url, { as: "alice" })).headers;
    const asked: [number, Ask, string?][] = [
      [200, {}],
      [206, { headers: { Range: "bytes=0-1" } }],
      [304, { headers: { "If-None-Match": etag } }],
      [403, { as: "bob" }],
      [404, {}, url.replace("/1/", "/99/")],
      [405, { method: "POST" }],
      [412, { headers: { "If-Match": '"x"' } }],
      [416, { headers: { Range: "bytes=999-" } }],
    ];
    for (const [status, { headers, ...ask }, path = url] of asked) {
      const answer = await application.get(path, {
        as: "alice",
        ...ask,
        headers: { ...headers, Cookie: "koa.sess=fixed; koa.sess.sig=x" },
      });
      assert.deepEqual(
        [answer.status, answer.headers["set-cookie"], answer.headers.vary],
        [status, undefined, undefined],
      );
    }
  });

  it("makes no answer one for a shared cache: with a cookie or credentials, all are private, no-store", async () => {
    const url = application.files.url(papers[0]!, "file");
    for (const headers of [{ Cookie: "session=1" }, { Authorization: "Bearer x" }, {}]) {
      const asks: [number, Ask][] = [
        [200, { headers }],
        [200, { method: "HEAD", headers }],
        [206, { headers: { ...headers, Range: "bytes=0-1" } }],
        [304, { headers: { ...headers, "If-None-Match": "*" } }],
        [403, { headers, as: "bob" }],
      ];
      for (const [status, ask] of asks) {
        const answer = await application.get(url, { as: "alice", ...ask });
        assert.deepEqual([answer.status, answer.headers["cache-control"]], [status, "private, no-store"]);
      }
    }
  });

  it("keeps the file to its own origin: every answer to another site's page says so", async () => {
    for (const field of fields) {
      const url = application.files.url(papers[0]!, field);
      for (const destination of ["image", "script", "iframe", "empty"]) {
        const headers = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": destination };
        for (const as of ["alice", "bob"]) {
          const answer = await application.get(url, { as, headers });
          assert.equal(answer.status, as === "alice" ? 200 : 403);
          assert.equal(answer.headers["cross-origin-resource-policy"], "same-origin");
          assert.equal(answer.headers["access-control-allow-origin"], undefined);
        }
      }
    }
  });
});

describe("a method other than GET and HEAD", () => {
  it("is answered 405 without a hook or a query, and its body does not reach the next request on the connection", async (t) => {
    const url = application.files.url(papers[0]!, "file");
    const load = t.mock.method(application.dataSource, "createQueryRunner");
    const body = `GET ${url} HTTP/1.1\r\nHost: x\r\nx-user: alice\r\n\r\n`.repeat(2000);
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
      const head = `${method} ${url} HTTP/1.1\r\nHost: x\r\nx-user: alice\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const answer = await raw(t, application, `${head}HEAD /nowhere HTTP/1.1\r\nHost: x\r\n`);
      assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 405", "HTTP/1.1 404"], method);
    }
    assert.deepEqual([load.mock.callCount(), hooks], [0, 0]);
  });

  it("can't be put on over a GET, which is answered as one; the body of a GET is dropped", async (t) => {
    const url = application.files.url(papers[0]!, "file");
    const overrides = "X-HTTP-Method-Override: DELETE\r\nX-HTTP-Method: DELETE\r\nX-Method-Override: DELETE";
    const body = `_method=DELETE&x=${"x".repeat(100_000)}`;
    const get = `GET ${url}?_method=DELETE HTTP/1.1\r\nHost: x\r\nx-user: alice\r\n${overrides}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answer = await raw(t, application, `${get}HEAD ${url} HTTP/1.1\r\nHost: x\r\nx-user: alice\r\n`);
    assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 200"]);
    assert.equal(answer.split(contentOf("alice", "file")).length, 2);
  });
});

describe("a client that leaves", () => {
  it("while the condition is asked has its file never opened, and no hook told", async (t) => {
    const open = t.mock.method(application.storage, "open");
    await leaveDuring(t, (wait) => {
      whileAsked = (_paper, ctx) => wait(ctx);
    });
    await sleep(50);
    assert.deepEqual([open.mock.callCount(), hooks], [0, 0]);
  });

  it("while the hook runs has nothing read: the file is let go of, and afterDownload is told so", async (t) => {
    let reads = 0;
    const open = application.storage.open.bind(application.storage);
    t.mock.method(application.storage, "open", async (key: string) => {
      const object = (await open(key))!;
      t.mock.method(object, "read", () => reads++);
      return object;
    });
    await leaveDuring(t, (wait) => {
      whileAnnounced = wait;
    });
    await eventually(async () => assert.deepEqual(reports, [{ aborted: true, bytesSent: 0 }]));
    assert.equal(reads, 0);
    if (process.platform === "linux") assert.deepEqual(await descriptorsUnder(application.storage.root), []);
  });
});

/** Asks for a file and leaves while somebody's code is awaited, which goes on when the server knows. */
async function leaveDuring(t: TestContext, delay: (wait: (ctx: Koa.Context) => Promise<void>) => void): Promise<void> {
  const steps = new EventEmitter();
  const reached = once(steps, "reached");
  const done = once(steps, "done");
  delay(async ({ req }) => {
    steps.emit("reached");
    await new Promise((resolve) => req.socket.once("close", resolve));
    steps.emit("done");
  });
  const socket = await openConnection(t, application.port);
  socket.write(`GET ${application.files.url(papers[0]!, "file")} HTTP/1.1\r\nHost: x\r\nx-user: alice\r\n\r\n`);
  await reached;
  socket.destroy();
  await done;
}

/** How far apart the medians are of the times that an application takes for these URLs, in milliseconds. */
async function gapOf({ get }: Application, urls: string[], rounds: number): Promise<number> {
  const times = urls.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const [index, url] of urls.entries()) {
      const started = performance.now();
      await get(url, { as: "carol" });
      times[index]!.push(performance.now() - started);
    }
  }
  const medians = times.map((all) => all.sort((one, other) => one - other)[all.length >> 1]!);
  return Math.max(...medians) - Math.min(...medians);
}

function assertNoTrace({ status, headers, body }: Answer, content: string, expected: number, what?: string): void {
  assert.equal(status, expected, what);
  assert.equal(body.includes(content), false, what);
  for (const name of ["etag", "last-modified", "content-disposition", "content-range", "accept-ranges"]) {
    assert.equal(headers[name], undefined, what);
  }
}

async function replace(paper: Paper, name: string, content = name): Promise<void> {
  const { manager } = application.dataSource;
  const again = await manager.findOneByOrFail(Paper, { id: paper.id });
  await application.files.attach(again, "file", Buffer.from(content), { filename: name });
  await manager.save(again);
}

/** Asks with the head of a request, which may have whole requests before it, and reads all until the connection closes. */
async function raw(t: TestContext, { port }: Application, head: string): Promise<string> {
  const socket = await openConnection(t, port);
  socket.write(`${head}Connection: close\r\n\r\n`);
  return (await readAll(socket)).toString("latin1");
}

async function savePapers(to: Application): Promise<Paper[]> {
  await to.dataSource.manager.insert(
    User,
    people.map((id) => ({ id })),
  );
  const saved: Paper[] = [];
  for (const owner of people) {
    const paper = to.dataSource.manager.create(Paper, { owner: { id: owner } });
    for (const field of fields) {
      const content = Buffer.from(contentOf(owner, field));
      await to.files.attach(paper, field, content, { filename: `${owner}-${field}.txt` });
    }
    const { hidden } = paper;
    await to.dataSource.manager.save(paper);
    // TypeORM 1.0.0 takes the value of a column with "select: false" out of the entity.
    saved.push(Object.assign(paper, { hidden }));
  }
  return saved;
}

async function savePaper(to: Application, owner: string, name: string): Promise<Paper> {
  const repository: Repository<Paper> = to.dataSource.getRepository(Paper);
  const paper = repository.create({ owner: { id: owner } });
  await to.files.attach(paper, "file", Buffer.from(name), { filename: name });
  return repository.save(paper);
}

function contentOf(owner: string, field: Field): string {
  return `the ${field} of ${owner}`;
}
