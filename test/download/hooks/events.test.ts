import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { beforeEach, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type Koa from "koa";
import { Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type AfterDownloadEvent,
  type BeforeDownloadEvent,
  type Delivery,
  type DownloadDeniedEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
} from "typeorm-private-files";
import { changeOpened, type StartOptions, startApplication } from "../../support/application.js";
import { openConnection } from "../../support/connection.js";
import { eventually } from "../../support/eventually.js";

let allowed = true;

abstract class Base {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "files", condition: () => allowed }) file!: PrivateFile;
}

@Entity()
class Film extends Base {}

@Entity()
class Song extends Base {}

type Told = [subscriber: string, hook: string, event: BeforeDownloadEvent & AfterDownloadEvent & DownloadDeniedEvent];
const told: Told[] = [];
let beforeDownload: (event: BeforeDownloadEvent) => unknown = () => {};
let afterDownload = () => {};
let downloadDenied = () => {};

/** A subscriber that notes what it is told. */
function subscriberTo(name: string, listenTo: (() => unknown) | undefined): new () => PrivateFileSubscriber {
  @EventSubscriber()
  class Subscriber {
    listenTo = listenTo;
    async beforeDownload(event: BeforeDownloadEvent) {
      told.push([name, "beforeDownload", event as never]);
      await beforeDownload(event);
    }
    afterDownload(event: AfterDownloadEvent) {
      told.push([name, "afterDownload", event as never]);
      afterDownload();
    }
    downloadDenied(event: DownloadDeniedEvent) {
      told.push([name, "downloadDenied", event as never]);
      downloadDenied();
    }
  }
  return Subscriber as never;
}

const films = subscriberTo("films", () => Film);
const content = Buffer.alloc(3_000_000, "film");

beforeEach(() => {
  told.length = 0;
  allowed = true;
  beforeDownload = () => {};
  afterDownload = () => {};
  downloadDenied = () => {};
});

describe("beforeDownload", () => {
  it("is told of the entity, the file and the request, before the first byte", async (t) => {
    const { application, url, film } = await withFilm(t);
    await application.get(url);
    const [[, hook, event]] = told as [Told];
    assert.equal(hook, "beforeDownload");
    assert.ok(event.entity instanceof Film);
    assert.equal((event.entity as Film).id, film.id);
    assert.deepEqual(event.file, { key: film.file.key, name: "a.mp4", size: content.length, type: "video/mp4" });
    assert.equal(event.dataSource, application.dataSource);
    assert.equal(event.manager, application.dataSource.manager);
    assert.equal(event.metadata.target, Film);
    assert.equal(event.propertyName, "file");
    assert.equal(event.ctx.path, url);
    assert.deepEqual([event.range, event.begins], [undefined, true]);
  });

  it("is told which bytes are asked for, and whether they begin the download", async (t) => {
    const { application, url } = await withFilm(t);
    for (const range of ["bytes=0-9", "bytes=0-1", "bytes=10-19", "bytes=-5"])
      await application.get(url, { headers: { Range: range } });
    const events = told.filter(([, hook]) => hook === "beforeDownload").map(([, , event]) => event);
    assert.deepEqual(
      events.map(({ range, begins }) => [range, begins]),
      [
        [{ start: 0, end: 9 }, true],
        [{ start: 0, end: 1 }, false],
        [{ start: 10, end: 19 }, false],
        [{ start: content.length - 5, end: content.length - 1 }, false],
      ],
    );
  });

  it("is not told of HEAD, 304, 412, 416, a refusal or a missing file", async (t) => {
    const { application, url } = await withFilm(t);
    const { etag } = (await application.get(url)).headers;
    told.length = 0;
    await application.get(url, { method: "HEAD" });
    for (const headers of [{ "If-None-Match": etag }, { "If-Match": '"x"' }, { Range: "bytes=99999999-" }]) {
      await application.get(url, { headers });
    }
    allowed = false;
    await application.get(url);
    allowed = true;
    await application.get(url.replace("a.mp4", "b.mp4"));
    assert.deepEqual(
      told.filter(([, hook]) => hook !== "downloadDenied"),
      [],
    );
  });

  it("reaches those who listen to everything, to Object, to the entity or to a parent of it, and nobody else", async (t) => {
    const subscribers = [
      subscriberTo("everything", undefined),
      subscriberTo("nothing said", () => undefined),
      subscriberTo("Object", () => Object),
      films,
      subscriberTo("parent", () => Base),
      subscriberTo("songs", () => Song),
    ];
    const { application, url } = await withFilm(t, { subscribers });
    await application.get(url);
    const names = told.filter(([, hook]) => hook === "beforeDownload").map(([name]) => name);
    assert.deepEqual(names.sort(), ["Object", "everything", "films", "nothing said", "parent"]);
  });

  it("is awaited before any byte is sent", async (t) => {
    const { application, url } = await withFilm(t);
    let sent = true;
    beforeDownload = async ({ ctx }) => {
      await sleep(50);
      sent = ctx.headerSent;
    };
    await application.get(url);
    assert.equal(sent, false);
  });

  it("stops the download when it throws, with the error's status and, if exposed, its message", async (t) => {
    const { application, url } = await withFilm(t);
    beforeDownload = ({ ctx }) => ctx.throw(429, "Ten a day is all", { headers: { "Retry-After": "3600" } });
    const { status, headers, body } = await application.get(url);
    assert.deepEqual([status, body.toString(), headers["retry-after"]], [429, "Ten a day is all", "3600"]);
    assert.equal(headers["content-disposition"], undefined);
    assert.equal(headers["x-content-type-options"], "nosniff");
  });

  it("keeps the message of an error that does not say expose to itself", async (t) => {
    const { application, url } = await withFilm(t);
    beforeDownload = () => {
      throw Object.assign(new Error("quota of /var/db"), { status: 429 });
    };
    const { status, body } = await application.get(url);
    assert.deepEqual([status, body.toString()], [429, "Too Many Requests"]);
  });

  it("stops the download with 500 when it throws anything else, and says nothing of it; no later hook is told", async (t) => {
    const { application, url } = await withFilm(t, { subscribers: [films, subscriberTo("second", () => Film)] });
    beforeDownload = async () => {
      throw new Error("SQLITE_BUSY: /var/db");
    };
    const { status, body } = await application.get(url);
    assert.deepEqual([status, body.toString()], [500, "Internal Server Error"]);
    assert.deepEqual(
      told.map(([name, hook]) => [name, hook]),
      [
        ["films", "beforeDownload"],
        ["films", "downloadDenied"],
        ["second", "downloadDenied"],
      ],
    );
  });

  it("answers 503 when it takes longer than the timeout", async (t) => {
    const { application, url } = await withFilm(t, { options: { timeout: 0.05 } });
    beforeDownload = () => new Promise(() => {});
    assert.equal((await application.get(url)).status, 503);
  });

  it("can't change what is sent", async (t) => {
    const { application, url } = await withFilm(t);
    beforeDownload = ({ ctx }) => {
      ctx.status = 404;
      ctx.body = "another body";
      ctx.set("Content-Length", "3");
    };
    const { status, body } = await application.get(url);
    assert.equal(status, 200);
    assert.ok(body.equals(content));
  });

  it("may use every connection of the pool: the controller holds none", async (t) => {
    const { application, url } = await withFilm(t);
    beforeDownload = async ({ manager }) => {
      await manager.getRepository(Film).count();
    };
    const answers = await Promise.all(Array.from({ length: 50 }, () => application.get(url)));
    assert.ok(answers.every(({ status }) => status === 200));
  });
});

describe("afterDownload", () => {
  it("is told how many bytes went out and how long it took", async (t) => {
    const { application, url } = await withFilm(t);
    const began = performance.now();
    await application.get(url);
    await application.get(url, { headers: { Range: "bytes=10-19" } });
    const events = await toldOf("afterDownload", 2);
    const most = (performance.now() - began) / 1000;
    assert.deepEqual(
      events.map(({ bytesSent, aborted }) => [bytesSent, aborted]),
      [
        [content.length, false],
        [10, false],
      ],
    );
    assert.ok(events.every(({ seconds }) => seconds >= 0 && seconds <= most));
  });

  it("is told what beforeDownload was, and the seconds until all of the answer is out", async (t) => {
    const before = (app: Koa) =>
      app.use(async (_ctx, next) => {
        await next();
        await sleep(200);
      });
    const { application, url } = await withFilm(t, { before });
    const began = performance.now();
    await application.get(url, { headers: { Range: "bytes=10-19" } });
    const [{ aborted: _, bytesSent: __, seconds, ...event }] = (await toldOf("afterDownload", 1)) as [Told[2]];
    const most = (performance.now() - began) / 1000;
    assert.deepEqual(event, (await toldOf("beforeDownload", 1))[0]);
    assert.ok(seconds > 0.15 && seconds <= most, String(seconds));
  });

  it("is told of no number of bytes where a delivery of another kind sends them", async (t) => {
    const delivery: Delivery = {
      async deliver({ ctx }) {
        ctx.body = "";
      },
    };
    const { application, url } = await withFilm(t, { options: { delivery } });
    await application.get(url);
    const [event] = await toldOf("afterDownload", 1);
    assert.deepEqual([event!.bytesSent, event!.aborted], [undefined, false]);
  });

  it("is told nothing of a file whose turn had not come when the client left", async (t) => {
    const { application, url } = await withFilm(t, { size: 30_000_000 });
    const socket = await openConnection(t, application.port);
    socket.pause();
    for (let n = 0; n < 3; n++) socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await toldOf("beforeDownload", 1);
    await sleep(100);
    socket.destroy();
    const [event] = await toldOf("afterDownload", 1);
    assert.equal(event!.aborted, true);
    await sleep(100);
    assert.deepEqual(
      told.map(([, hook]) => hook),
      ["beforeDownload", "afterDownload"],
    );
  });

  it("that throws is an error of the application, and changes nothing of the answer", async (t) => {
    const { application, url } = await withFilm(t);
    afterDownload = () => assert.fail("the counter is full");
    assert.ok((await application.get(url)).body.equals(content));
    await eventually(async () => assert.match(String(application.errors), /the counter is full/));
  });

  it("is told that nothing was sent where the storage failed", async (t) => {
    const { application, url } = await withFilm(t);
    changeOpened(application, () => ({ read: () => Promise.reject(new Error("EIO")) }));
    assert.equal((await application.get(url)).status, 500);
    const [event] = await toldOf("afterDownload", 1);
    assert.deepEqual([event!.bytesSent, event!.aborted], [0, true]);
  });

  it("is told that nothing was sent where the client left before the first byte", async (t) => {
    const { application, url } = await withFilm(t);
    let gone = () => {};
    const left = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const outgoing = request({ host: "127.0.0.1", port: application.port, path: url }).on("error", () => {});
    changeOpened(application, (object) => ({
      async read(buffer, position) {
        outgoing.destroy();
        await left;
        return object.read(buffer, position);
      },
    }));
    outgoing.end();
    const [event] = await toldOf("afterDownload", 1);
    gone();
    assert.deepEqual([event!.bytesSent, event!.aborted], [0, true]);
  });

  it("is told that the client left, and how far it came", async (t) => {
    const { application, url } = await withFilm(t, { size: 60_000_000 });
    const outgoing = request({ host: "127.0.0.1", port: application.port, path: url }).end();
    const [incoming] = await once(outgoing, "response");
    await once(incoming, "data");
    incoming.destroy();
    const [event] = await toldOf("afterDownload", 1);
    assert.equal(event!.aborted, true);
    assert.ok(event!.bytesSent! > 0 && event!.bytesSent! < 60_000_000);
  });
});

describe("downloadDenied", () => {
  it("is told which step said no, with which status, and of the entity where there is one", async (t) => {
    const { application, url } = await withFilm(t);
    await application.get(url.replace("/1/", "/9/"));
    await application.get(url.replace("a.mp4", "b.mp4"));
    allowed = false;
    await application.get(url);
    const events = await toldOf("downloadDenied", 3);
    assert.deepEqual(
      events.map(({ step, status, entity, propertyName }) => [step, status, entity instanceof Film, propertyName]),
      [
        ["load", 404, false, "file"],
        ["describe", 404, true, "file"],
        ["authorize", 403, true, "file"],
      ],
    );
  });

  it("is told of a file that is gone, and of a hook that stopped the download, with its status", async (t) => {
    const { application, url, film } = await withFilm(t);
    beforeDownload = ({ ctx }) => ctx.throw(429);
    await application.get(url);
    await application.storage.delete(film.file.key);
    await application.get(url);
    const events = await toldOf("downloadDenied", 2);
    assert.deepEqual(
      events.map(({ step, status, entity }) => [step, status, entity instanceof Film]),
      [
        ["announce", 429, true],
        ["describe", 404, true],
      ],
    );
  });

  it("that throws is an error of the application, and changes nothing of the answer", async (t) => {
    const { application, url } = await withFilm(t);
    allowed = false;
    downloadDenied = () => assert.fail("the log is full");
    const { status, body } = await application.get(url);
    assert.deepEqual([status, body.toString()], [403, "Forbidden"]);
    await eventually(async () => assert.match(String(application.errors), /the log is full/));
  });
});

async function toldOf(hook: string, count: number): Promise<Told[2][]> {
  const events = () => told.filter(([, name]) => name === hook).map(([, , event]) => event);
  await eventually(async () => assert.ok(events().length >= count, `${hook} was not told ${count} times`));
  return events();
}

async function withFilm(t: TestContext, { size, ...options }: Partial<StartOptions> & { size?: number } = {}) {
  const application = await startApplication({ entities: [Film, Song], subscribers: [films], ...options });
  t.after(() => application.close());
  const film = application.dataSource.manager.create(Film, {});
  await application.files.attach(film, "file", size ? Buffer.alloc(size) : content, { filename: "a.mp4" });
  await application.dataSource.manager.save(film);
  return { application, film, url: application.files.url(film, "file") };
}
