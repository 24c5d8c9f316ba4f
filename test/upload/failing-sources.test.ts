import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Column, Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type AttachOptions,
  type BeforeAttachEvent,
  fromPath,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  StorageError,
  UploadError,
  type UploadSource,
} from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { after, before, describe, it } from "../support/suite.js";

let naming: Promise<void> | undefined;
let hook: (event: BeforeAttachEvent<Scan>) => void | Promise<void> = () => {};

@Entity()
class Scan {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ nullable: true, type: String }) type!: string | null;
  @PrivateFileColumn({ nullable: true, uploadTo: named }) plain!: PrivateFile | null;
  @PrivateFileColumn<Scan>({
    nullable: true,
    uploadTo: named,
    maxSize: 100_000,
    accept: [".txt"],
    fields: { type: "type" },
  })
  ruled!: PrivateFile | null;
}

@Entity()
class Watched {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ nullable: true, uploadTo: named }) watched!: PrivateFile | null;
}

@EventSubscriber()
class Watcher implements PrivateFileSubscriber<Watched> {
  listenTo() {
    return Watched;
  }
  beforeAttach(event: BeforeAttachEvent<Watched>) {
    return hook(event as never);
  }
}

async function named(_entity: object, filename: string): Promise<string> {
  await naming;
  return `scans/${filename}`;
}

let application: Application;
before(async () => {
  application = await startApplication({ entities: [Scan, Watched], subscribers: [Watcher] });
});
after(() => application.close());

async function refusal(
  property: "plain" | "ruled" | "watched",
  source: unknown,
  options: AttachOptions = {},
): Promise<UploadError> {
  const entity = property === "watched" ? new Watched() : new Scan();
  const attaching = application.files.attach(entity as never, property as never, source as UploadSource, options);
  const error = await attaching.then(
    () => assert.fail("it was taken"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof UploadError, String(error));
  for await (const { key } of application.storage.list("")) assert.fail(`${key} is left`);
  assert.equal(error.property, property);
  return error;
}

const boom = new Error("boom");
const never = () => new Promise<never>(() => {});

/** Sources that give some bytes, and then nothing for ever. */
const STALLING: Record<string, () => unknown> = {
  "a stream": () => stalled(),
  "a stream of an async generator": () => Readable.from(stalling(), { objectMode: false }),
  "an async generator": () => stalling(),
  "a web stream": () =>
    new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("some")), pull: never }),
};

function stalled(): PassThrough {
  const stream = new PassThrough();
  stream.write("some");
  return stream;
}

async function* stalling() {
  yield Buffer.from("some");
  await never();
}

for (const property of ["plain", "ruled", "watched"] as const) {
  describe(`A source that fails, for a ${property} column,`, () => {
    it("refuses the upload when it fails before its first byte", async () => {
      const source = new PassThrough();
      const failing = refusal(property, source, { filename: "a.txt" });
      source.destroy(boom);
      const { reason, cause } = await failing;
      assert.deepEqual([reason, cause], ["failed", boom]);
    });

    it("refuses the upload when it fails while uploadTo is asked", async () => {
      let go = () => {};
      naming = new Promise((resolve) => {
        go = resolve;
      });
      const source = new PassThrough();
      const failing = refusal(property, source, { filename: "a.txt" });
      await nextTurn();
      source.destroy(boom);
      await nextTurn();
      go();
      const { reason, cause } = await failing;
      assert.deepEqual([reason, cause], ["failed", boom]);
    });

    it("refuses the upload when it failed before attach was called", async () => {
      const source = new PassThrough();
      await new Promise((resolve) => source.once("error", resolve).destroy(boom));
      const { reason, cause } = await refusal(property, source, { filename: "a.txt" });
      assert.deepEqual([reason, cause], ["failed", boom]);
    });

    it("refuses the upload when it is closed before its end", async () => {
      const source = stalled();
      const failing = refusal(property, source, { filename: "a.txt" });
      await nextTurn();
      source.destroy();
      assert.equal((await failing).reason, "failed");
    });

    for (const [what, open] of Object.entries(STALLING)) {
      it(`is given up when the signal is aborted, though it is ${what} that gives nothing`, async () => {
        const controller = new AbortController();
        const failing = refusal(property, open(), { filename: "a.txt", signal: controller.signal });
        setTimeout(() => controller.abort(boom), 20);
        const { reason, cause } = await failing;
        assert.deepEqual([reason, cause], ["aborted", boom]);
      });

      it(`is given up after stallTimeout, though it is ${what} that gives nothing`, async () => {
        const { reason, status } = await refusal(property, open(), { filename: "a.txt", stallTimeout: 0.05 });
        assert.deepEqual([reason, status], ["stalled", 408]);
      });
    }

    it("is not given up while it gives a little, however long that takes", async () => {
      const entity = property === "watched" ? new Watched() : new Scan();
      const source = Readable.from(
        (async function* () {
          for (let n = 0; n < 6; n++) {
            await new Promise((resolve) => setTimeout(resolve, 100));
            yield Buffer.from("x");
          }
        })(),
        { objectMode: false },
      );
      await application.files.attach(entity as never, property as never, source, {
        filename: "a.txt",
        stallTimeout: 0.4,
      });
      application.files.detach(entity as never, property as never);
      await eventuallyEmpty();
    });

    it("is refused where an encoding was set on it, so that it gives texts", async () => {
      const source = Readable.from([Buffer.from("ä")], { objectMode: false }).setEncoding("latin1");
      assert.equal((await refusal(property, source, { filename: "a.txt" })).reason, "unusable");
    });

    it("is refused with what is known of it", async () => {
      const { details } = await refusal(property, fromPath("/nowhere/at all"), { filename: "a.txt" });
      const rules = property === "ruled" ? { maxSize: 100_000, accept: [".txt"] } : {};
      assert.deepEqual(details, { ...rules, filename: "a.txt" });
      assert.deepEqual((await refusal(property, undefined)).details, rules);
      const cut = Object.assign(Readable.from([Buffer.from("some")], { objectMode: false }), { truncated: true });
      assert.deepEqual((await refusal(property, cut, { filename: "a.txt" })).details, {
        ...rules,
        filename: "a.txt",
        size: 4,
      });
    });
  });
}

async function eventuallyEmpty(): Promise<void> {
  for (let left = true; left; ) {
    left = false;
    for await (const _ of application.storage.list("")) left = true;
    await nextTurn();
  }
}

describe("A storage that fails and lets the body be", () => {
  it("fails the upload, and the source is destroyed", async (t) => {
    t.mock.method(application.storage, "put", async (_key: string, body: Readable) => {
      body.read();
      throw new StorageError("x: it is full. Make room.", "x");
    });
    const source = stalled();
    await assert.rejects(application.files.attach(new Scan(), "plain", source), StorageError);
    assert.ok(source.destroyed);
  });
});

describe("A storage that says it is done before it has read all", () => {
  it("fails the upload, and holds neither the source nor the process", async (t) => {
    t.mock.method(application.storage, "put", async () => ({ size: 1, modifiedAt: new Date() }));
    const source = stalled();
    const attaching = application.files.attach(new Scan(), "plain", source, { stallTimeout: 3600 });
    await assert.rejects(attaching, StorageError);
    assert.ok(source.destroyed);
  });
});

describe("A stream that flows already when it is attached", () => {
  const flowing: [how: string, begin: (source: Readable) => void][] = [
    ["as a listener counts its bytes", (source) => source.on("data", () => {})],
    ["as it was resumed", (source) => source.resume()],
    ["as it is piped elsewhere", (source) => source.pipe(new PassThrough().resume())],
  ];
  for (const [how, begin] of flowing) {
    it(`loses no byte while uploadTo is asked, ${how}`, async () => {
      naming = new Promise((resolve) => setTimeout(resolve, 30));
      const source = stalled();
      begin(source);
      const scan = new Scan();
      const attaching = application.files.attach(scan, "plain", source);
      source.end(" bytes");
      await attaching;
      naming = undefined;
      assert.equal(await text(await application.files.open(scan, "plain")), "some bytes");
      application.files.detach(scan, "plain");
      await eventuallyEmpty();
    });
  }
});

describe("A response of another server", () => {
  it("is let go of when it is refused or stalls: nobody waits for its connection", async (t) => {
    const gone: Promise<unknown>[] = [];
    const server = createServer((_request, response) => {
      gone.push(once(response, "close"));
      response.write(Buffer.alloc(150_000, "x"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    for (const [property, reason] of [
      ["ruled", "too-large"],
      ["plain", "stalled"],
    ] as const) {
      const [response] = await once(get({ port, host: "127.0.0.1", agent: false }), "response");
      const error = await refusal(property, response, { filename: "a.txt", stallTimeout: 0.05 });
      assert.equal(error.reason, reason);
      await gone.at(-1);
    }
  });
});

describe("An entity that takes no file", () => {
  it("is as it was, and nothing is left in the storage", async () => {
    const sealed = Object.freeze(new Scan());
    await assert.rejects(application.files.attach(sealed, "plain", Buffer.from("some")), TypeError);
    const strict = Object.defineProperty(new Scan(), "type", {
      set() {
        throw boom;
      },
    });
    const attaching = application.files.attach(strict, "ruled", Buffer.from("some"), { filename: "a.txt" });
    await assert.rejects(attaching, (error) => error === boom);
    assert.deepEqual(Object.keys(strict), []);
    for await (const { key } of application.storage.list("")) assert.fail(`${key} is left`);
  });
});

describe("A copy that is refused", () => {
  it("says for which property, and with what is known", async () => {
    const scan = new Scan();
    await application.files.attach(scan, "plain", Buffer.from("some"), { filename: "a.html" });
    await application.dataSource.manager.save(scan);
    const copying = application.files.copy(scan, "plain", new Scan(), "ruled");
    await assert.rejects(copying, (error: UploadError) => {
      assert.deepEqual([error.reason, error.property, error.details.filename], ["type", "ruled", "a.html"]);
      return true;
    });
    const aborted = application.files.copy(scan, "plain", new Scan(), "plain", { signal: AbortSignal.abort() });
    await assert.rejects(aborted, { reason: "aborted", property: "plain" });
    await application.dataSource.manager.remove(scan);
    await eventuallyEmpty();
  });
});

describe("onProgress", () => {
  it("fails the upload with the very error that it throws, or that its promise has", async () => {
    for (const onProgress of [
      () => {
        throw boom;
      },
      async () => {
        throw boom;
      },
    ]) {
      for (const property of ["plain", "ruled"] as const) {
        const attaching = application.files.attach(new Scan(), property, Buffer.from("some"), {
          filename: "a.txt",
          onProgress,
        });
        await assert.rejects(attaching, (error) => error === boom);
      }
    }
  });
});

describe("beforeAttach", () => {
  it("may throw an UploadError of its own, frozen as well, which is thrown as it is", async () => {
    const own = Object.freeze(new UploadError("type", "Scanner: infected. Clean it."));
    hook = () => {
      throw own;
    };
    await assert.rejects(
      application.files.attach(new Watched(), "watched", Buffer.from("some")),
      (error) => error === own,
    );
  });

  it("may throw one error for all uploads, sealed as well, which says nothing of the one before", async () => {
    const own = new UploadError("type", "Scanner: infected. Clean it.");
    hook = () => {
      throw own;
    };
    for (const filename of ["alice.txt", "bob.txt"]) {
      const { details } = await refusal("watched", Buffer.from("some"), { filename });
      assert.deepEqual(details, { filename, size: 4 });
    }
    Object.seal(own);
    assert.equal(await refusal("watched", Buffer.from("some")), own);
    const closed = Object.seal(new UploadError("type", "Scanner: infected. Clean it."));
    hook = () => {
      throw closed;
    };
    const attaching = application.files.attach(new Watched(), "watched", Buffer.from("some"));
    await assert.rejects(attaching, (error) => error === closed);
  });

  it("need not wait for a stream that can't be opened", async (t) => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", listen);
    t.after(() => process.off("unhandledRejection", listen));
    const stage = application.storage.stage.bind(application.storage);
    t.mock.method(application.storage, "stage", async (body: Readable, options: object) => {
      const staged = await stage(body, options);
      t.mock.method(staged, "read", () => Promise.reject(boom));
      return staged;
    });
    hook = async ({ open }) => {
      void open();
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const watched = new Watched();
    await application.files.attach(watched, "watched", Buffer.from("some"));
    assert.deepEqual(unhandled, []);
    application.files.detach(watched, "watched");
    await eventuallyEmpty();
  });

  it("is not waited for when the signal is aborted, of which it is told", async () => {
    const controller = new AbortController();
    const told: unknown[] = [];
    hook = async ({ signal }) => {
      signal?.addEventListener("abort", () => told.push(signal.reason));
      controller.abort(boom);
      await never();
    };
    const { reason } = await refusal("watched", Buffer.from("some"), { signal: controller.signal });
    assert.deepEqual([reason, told], ["aborted", [boom]]);
  });

  it("leaves no descriptor, whatever it does with the streams that it opened", async () => {
    const opened: Readable[] = [];
    for (const after of [
      () => {},
      () => {
        throw new UploadError("type", "Scanner: infected. Clean it.");
      },
    ]) {
      hook = async ({ open }) => {
        opened.push(await open(), await open());
        opened.at(-1)!.read();
        after();
      };
      const watched = new Watched();
      await application.files.attach(watched, "watched", Buffer.from("some")).catch(() => {});
      assert.deepEqual(
        opened.map(({ closed }) => closed),
        opened.map(() => true),
      );
      application.files.detach(watched, "watched");
    }
    await eventuallyEmpty();
  });
});
