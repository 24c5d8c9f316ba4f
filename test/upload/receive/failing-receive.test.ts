import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { EventSubscriber, IsNull, Not } from "typeorm";
import {
  type BeforeAttachEvent,
  ConfigurationError,
  PrivateFileError,
  type PrivateFileSubscriber,
  StorageError,
  UploadError,
} from "typeorm-private-files";
import { cutRequest, descriptors } from "../../support/cut-requests.js";
import { eventually } from "../../support/eventually.js";
import { MemoryStorage } from "../../support/memory-storage.js";
import { after, afterEach, before, beforeEach, describe, it } from "../../support/suite.js";
import { type Body, file, form, requestOf, text } from "../form/form-body.js";
import { statusOf } from "./raw-form.js";
import { type ReceiveSite, refusal, Submission, startReceiveSite } from "./receive-site.js";

const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
const TWO_FILES = form(file("file", Buffer.alloc(200_000, "x"), "a.txt"), file("image", PNG, "a.png"));
const ONE_FILE = form(file("file", "the bytes"));

/** What the hook says of an upload. */
let look: (event: BeforeAttachEvent<Submission>) => unknown;

@EventSubscriber()
class Watcher implements PrivateFileSubscriber<Submission> {
  listenTo() {
    return Submission;
  }
  beforeAttach(event: BeforeAttachEvent<Submission>) {
    return look(event) as undefined;
  }
}

let site: ReceiveSite;
let atRest: number;
before(async () => {
  site = await startReceiveSite({ subscribers: [Watcher], options: { timeout: 0.3 } });
  site.handle = receiveTwo(site.dataSource.manager.create(Submission));
  look = () => {};
  await send(TWO_FILES);
  atRest = descriptors();
});
after(() => site.close());
beforeEach(() => {
  look = () => {};
});
afterEach(async () => {
  await site.files.remove(Submission, { id: Not(IsNull()) });
  await nothingIsLeft();
});

function send(body: Body): Promise<number> {
  return statusOf(site.port, "/", { body });
}

function create(): Submission {
  return site.dataSource.manager.create(Submission);
}

function receiveTwo(submission: Submission): ReceiveSite["handle"] {
  return (ctx) => site.files.receive(ctx, { file: [submission, "file"], image: [submission, "image"] });
}

async function nothingIsLeft(): Promise<void> {
  await eventually(async () => assert.deepEqual(await site.stored(), []));
  await eventually(() => assert.ok(descriptors() <= atRest, `${descriptors()} descriptors, ${atRest} at rest`));
}

/** A submission with two files that were saved, and what its properties are then. */
async function savedSubmission(): Promise<[Submission, object]> {
  const submission = create();
  site.handle = async (ctx) => {
    await receiveTwo(submission)(ctx);
    await site.dataSource.manager.save(submission);
  };
  assert.equal(await send(TWO_FILES), 201);
  return [submission, { ...submission }];
}

describe("What parts name", () => {
  it("is an error of the application when it is no property with a file, no entity, or no part at all", async () => {
    for (const part of [
      [create(), "nothing"],
      [create(), "name"],
      [{}, "file"],
      [new Date(), "file"],
      [undefined, "file"],
      ["file"],
      [create(), "file", {}, 1],
      [create(), "file", { maxSize: 1 }],
      create(),
      "file",
    ]) {
      for (const parts of [{ file: part }, () => part, async () => part]) {
        site.handle = (ctx) => site.files.receive(ctx, parts as never);
        assert.equal(await send(ONE_FILE), 500);
        assert.ok(site.error instanceof ConfigurationError, `${JSON.stringify(part)}: ${site.error}`);
        await nothingIsLeft();
      }
    }
  });

  it("is one property for each field", async () => {
    const submission = create();
    site.handle = (ctx) => site.files.receive(ctx, { file: [submission, "file"], other: [submission, "file"] });
    assert.equal(await send(ONE_FILE), 500);
    assert.ok(site.error instanceof ConfigurationError, String(site.error));
  });

  it("gets one file, though a function names the same property for two", async () => {
    const submission = create();
    site.handle = (ctx) => site.files.receive(ctx, () => [submission, "file"]);
    assert.equal(await send(ONE_FILE), 201);
    assert.equal(await send(form(file("a", "x"), file("b", "x"))), 400);
    assert.deepEqual(refusal(site.error), {
      reason: "invalid",
      status: 400,
      property: "file",
      details: { part: "b", texts: {} },
    });
    await nothingIsLeft();
  });

  for (const [what, fail] of [
    ["throws", () => assert.fail("no")],
    ["rejects", () => Promise.reject(new Error("no"))],
    ["rejects later", () => sleep(20).then(() => Promise.reject(new Error("no")))],
  ] as const) {
    it(`fails the form when the function ${what}, and nothing is left of a file before`, async () => {
      site.handle = (ctx) => site.files.receive(ctx, ({ name }) => (name === "file" ? [create(), "file"] : fail()));
      assert.equal(await send(TWO_FILES), 500);
      assert.equal((site.error as Error).message, "no");
      await nothingIsLeft();
    });
  }

  it("is waited for as long as the form may take, or until the client leaves", async () => {
    const settings = { timeout: 0.2 };
    site.handle = (ctx) => site.files.receive(ctx, () => new Promise<undefined>(() => {}), settings);
    assert.equal(await send(TWO_FILES), 408);
    await nothingIsLeft();
    settings.timeout = 3600;
    await cutRequest(site.port, requestOf("/", TWO_FILES), 100_000);
    await eventually(() => assert.equal(refusal(site.error)?.reason, "failed"));
  });

  it("may come after the client has left, and the entity can be saved all the same", async () => {
    const submission = create();
    let answer = () => {};
    const answered = new Promise<[Submission, "file"]>((resolve) => {
      answer = () => resolve([submission, "file"]);
    });
    site.handle = (ctx) => site.files.receive(ctx, () => answered);
    await cutRequest(site.port, requestOf("/", TWO_FILES), 100_000);
    await eventually(() => assert.equal(refusal(site.error)?.reason, "failed"));
    answer();
    await sleep(20);
    await assert.rejects(
      site.dataSource.manager.save(submission),
      (error: Error) => !(error instanceof PrivateFileError),
    );
  });
});

describe("A storage that fails", () => {
  for (const [what, stage] of [
    ["throws", () => assert.fail("full")],
    ["rejects at once", () => Promise.reject(new StorageError("Disk: full. Make room.", "x"))],
    [
      "rejects in the middle",
      async (body: AsyncIterable<Buffer>) => {
        for await (const _ of body) throw new StorageError("Disk: full. Make room.", "x");
      },
    ],
    [
      "rejects at the end",
      async (body: AsyncIterable<Buffer>) => {
        for await (const _ of body);
        throw new StorageError("Disk: full. Make room.", "x");
      },
    ],
    ["stages nothing", async () => undefined],
  ] as const) {
    it(`answers 500, and leaves nothing, when its stage ${what}`, async (t) => {
      const right = site.storage.stage.bind(site.storage);
      let calls = 0;
      t.mock.method(site.storage, "stage", (...args: Parameters<typeof right>) =>
        ++calls === 2 ? stage(args[0]) : right(...args),
      );
      const submission = create();
      site.handle = receiveTwo(submission);
      assert.equal(await send(TWO_FILES), 500);
      assert.deepEqual([submission.file, submission.image], [undefined, undefined]);
      await nothingIsLeft();
    });
  }

  it("is waited for when it is slow", async (t) => {
    const right = site.storage.stage.bind(site.storage);
    t.mock.method(site.storage, "stage", async (...args: Parameters<typeof right>) => {
      await sleep(100);
      const staged = await right(...args);
      await sleep(100);
      return staged;
    });
    const [submission] = await savedSubmission();
    assert.equal((await site.get(site.files.url(submission, "file"))).body.length, 200_000);
  });

  it("is waited for no longer than the form may take when it never answers, and what it stages later is discarded", async (t) => {
    const right = site.storage.stage.bind(site.storage);
    let proceed = () => {};
    const gate = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    t.mock.method(site.storage, "stage", async (...args: Parameters<typeof right>) => {
      const staged = await right(...args);
      await gate;
      return staged;
    });
    site.handle = (ctx) => site.files.receive(ctx, { file: [create(), "file"] }, { timeout: 0.2 });
    assert.equal(await send(ONE_FILE), 408);
    assert.equal((await site.stored()).length, 1);
    proceed();
    await nothingIsLeft();
  });

  it("answers 500, and keeps no file of the form, when a file can't be given its key", async (t) => {
    const [submission, before] = await savedSubmission();
    const stored = await site.stored();
    const right = site.storage.stage.bind(site.storage);
    let calls = 0;
    t.mock.method(site.storage, "stage", async (...args: Parameters<typeof right>) => {
      const staged = await right(...args);
      if (++calls === 2) staged.keep = () => Promise.reject(new StorageError("Disk: full. Make room.", "x"));
      return staged;
    });
    site.handle = receiveTwo(submission);
    assert.equal(await send(TWO_FILES), 500);
    assert.deepEqual({ ...submission }, before);
    assert.deepEqual(await site.stored(), stored);
  });
});

describe("A form whose second file is refused after the whole form was read", () => {
  for (const [what, status, fail] of [
    ["by the hook with an error", 413, () => Promise.reject(new UploadError("too-large", "Full: no. Go away."))],
    ["by the hook with false", 500, () => false],
    ["by the hook that throws", 500, () => assert.fail("no")],
  ] as const) {
    it(`keeps neither file, and leaves the entities as they were, ${what}`, async () => {
      const [submission, before] = await savedSubmission();
      const stored = await site.stored();
      look = ({ propertyName }) => (propertyName === "image" ? fail() : undefined);
      site.handle = receiveTwo(submission);
      assert.equal(await send(TWO_FILES), status);
      assert.deepEqual({ ...submission }, before);
      assert.deepEqual(await site.stored(), stored);
      await site.dataSource.manager.save(submission);
      assert.equal((await site.get(site.files.url(submission, "file"))).status, 200);
    });
  }

  it("keeps neither, and leaves the entities as they were, when uploadTo throws for it", async () => {
    const [submission, before] = await savedSubmission();
    const stored = await site.stored();
    const other = create();
    Object.defineProperty(other, "course", { get: () => assert.fail("uploadTo asked") });
    site.handle = (ctx) => site.files.receive(ctx, { image: [submission, "image"], file: [other, "file"] });
    assert.equal(await send(form(file("image", PNG, "a.png"), file("file", "x"))), 500);
    assert.match(((site.error as Error).cause as Error).message, /uploadTo asked/);
    assert.deepEqual({ ...submission }, before);
    assert.deepEqual(await site.stored(), stored);
  });

  for (const property of ["image", "name"] as const) {
    it(`keeps neither, and leaves the entities as they were, when the setter of "${property}" throws for it`, async () => {
      const [submission, before] = await savedSubmission();
      const stored = await site.stored();
      const other = create();
      Object.defineProperty(other, property, { set: () => assert.fail("no"), get: () => undefined });
      const target = property === "image" ? "image" : "file";
      site.handle = (ctx) =>
        site.files.receive(ctx, { file: [submission, "file"], image: [submission, "image"], other: [other, target] });
      const files = [file("file", "x"), file("image", PNG, "a.png"), file("other", PNG, "a.png")];
      assert.equal(await send(form(...files)), 500);
      assert.deepEqual({ ...submission }, before);
      assert.deepEqual([other.file, other.image, other.digest], [undefined, undefined, undefined]);
      assert.deepEqual(await site.stored(), stored);
      await site.dataSource.manager.save(submission);
    });
  }

  it("is never kept in an entity that is frozen", async () => {
    const submission = Object.freeze(create());
    site.handle = receiveTwo(submission);
    assert.equal(await send(TWO_FILES), 500);
    await nothingIsLeft();
  });
});

describe("A quota in beforeAttach", () => {
  it("counts the files of forms that come at once", async () => {
    const underWay = new Set<Submission>();
    look = async ({ entity, propertyName }) => {
      if (propertyName !== "file") return;
      if (underWay.size >= 2) throw new UploadError("too-large", "Full: no. Go away.");
      underWay.add(entity as Submission);
      await sleep(200);
    };
    site.handle = async (ctx) => {
      const submission = create();
      try {
        await receiveTwo(submission)(ctx);
        await site.dataSource.manager.save(submission);
      } finally {
        underWay.delete(submission);
      }
    };
    const statuses = await Promise.all(Array.from({ length: 8 }, () => send(TWO_FILES)));
    const count = statuses.filter((status) => status === 201).length;
    assert.ok(count >= 2 && count < 8, `${statuses}`);
    assert.deepEqual([...new Set(statuses)].sort(), [201, 413]);
    assert.equal((await site.stored()).length, 2 * count);
  });
});

describe("A storage without stage", () => {
  const storage = new MemoryStorage();
  let other: ReceiveSite;
  before(async () => {
    other = await startReceiveSite({ subscribers: [Watcher], options: { storage, timeout: 0.3 } });
  });
  after(() => other.close());
  const sendThere = (body: Body) => statusOf(other.port, "/", { body });
  const keys = () => [...storage.objects.keys()];

  it("gets the files of a form, whose keys are asked for before the texts after them are known", async () => {
    const submission = new Submission();
    other.handle = async (ctx) => {
      await other.files.receive(
        ctx,
        { file: [submission, "file"] },
        { onFields: ({ course }) => void Object.assign(submission, { course }) },
      );
      await other.dataSource.manager.save(submission);
    };
    assert.equal(await sendThere(form(file("file", "the bytes", "a.txt"), text("course", "biology"))), 201);
    assert.match(submission.file.key, /^courses\/none\//);
    assert.match(submission.digest!, /^[0-9a-f]{64}$/);
    assert.equal((await other.get(other.files.url(submission, "file"))).body.toString(), "the bytes");
    await other.dataSource.manager.remove(submission);
    assert.deepEqual(keys(), []);
  });

  for (const [what, status, bad] of [
    ["a hook", 500, form(file("file", "x"), file("image", PNG, "a.png"))],
    ["its type", 415, form(file("file", "x"), file("image", "no image", "a.png"))],
    ["the end of the form, which is missing", 400, TWO_FILES.subarray(0, -10)],
    ["a text", 400, form(file("file", "x"), text("image", "x"))],
  ] as const) {
    it(`has none of two files when the second is refused for ${what}`, async () => {
      look = ({ propertyName }) => (propertyName === "image" ? false : undefined);
      const submission = new Submission();
      other.handle = (ctx) => other.files.receive(ctx, { file: [submission, "file"], image: [submission, "image"] });
      assert.equal(await sendThere(bad), status);
      assert.deepEqual(keys(), []);
      assert.deepEqual([submission.file, submission.name], [undefined, undefined]);
    });
  }

  it("has no file of a form that took too long, also one that it wrote later", async (t) => {
    const right = storage.put.bind(storage);
    let proceed = () => {};
    const gate = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    t.mock.method(storage, "put", async (...args: Parameters<typeof right>) => {
      const stored = await right(...args);
      await gate;
      return stored;
    });
    other.handle = (ctx) => other.files.receive(ctx, { file: [new Submission(), "file"] }, { timeout: 0.2 });
    assert.equal(await sendThere(ONE_FILE), 408);
    proceed();
    await eventually(() => assert.deepEqual(keys(), []));
  });
});
