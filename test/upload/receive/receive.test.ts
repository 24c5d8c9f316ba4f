import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { IsNull, Not } from "typeorm";
import { type Form, PrivateFileError, UploadError } from "typeorm-private-files";
import { eventually } from "../../support/eventually.js";
import { after, afterEach, before, describe, it } from "../../support/suite.js";
import { CONTENT_TYPE, file, form, requestOf, text } from "../form/form-body.js";
import { type ReceiveSite, refusal, Submission, startReceiveSite } from "./receive-site.js";

let site: ReceiveSite;
before(async () => {
  site = await startReceiveSite();
});
after(() => site.close());
afterEach(async () => {
  await site.files.remove(Submission, { id: Not(IsNull()) });
  await eventually(async () => assert.deepEqual(await site.stored(), []));
});

function send(body: Uint8Array | FormData, headers: Record<string, string> = {}): Promise<Response> {
  const type: Record<string, string> = body instanceof FormData ? {} : { "Content-Type": CONTENT_TYPE };
  return fetch(`http://127.0.0.1:${site.port}/`, {
    method: "POST",
    body: body as FormData,
    headers: { ...type, ...headers },
  });
}

function repository() {
  return site.dataSource.getRepository(Submission);
}

async function saved(id: number): Promise<string> {
  const submission = await repository().findOneByOrFail({ id });
  const { body } = await site.get(site.files.url(submission, "file"));
  return body.toString();
}

describe("receive", () => {
  it("puts a form's file into an entity, with the name, the digest and the bytes, and gives the texts", async () => {
    const submission = repository().create();
    let received: Form | undefined;
    site.handle = async (ctx) => {
      received = await site.files.receive(ctx, { file: [submission, "file"] });
      submission.course = received.course ?? "";
      await repository().save(submission);
    };
    const body = new FormData();
    body.append("course", "Ärzte & Söhne");
    body.append("file", new File(["the bytes"], 'Übung "1".pdf'));
    body.append("course", "second");
    assert.equal((await send(body)).status, 201);
    assert.equal(received!.course, "Ärzte & Söhne");
    assert.deepEqual(received!.all("course"), ["Ärzte & Söhne", "second"]);
    assert.deepEqual(Object.keys(received!), ["course"]);
    assert.equal(submission.name, 'Übung "1".pdf');
    assert.match(submission.digest!, /^[0-9a-f]{64}$/);
    assert.equal(await saved(submission.id), "the bytes");
  });

  it("asks uploadTo once the texts are known, also those that come after the file", async () => {
    const submission = repository().create();
    site.handle = async (ctx) => {
      await site.files.receive(
        ctx,
        { file: [submission, "file"] },
        {
          onFields({ course }) {
            submission.course = course ?? "";
          },
        },
      );
      assert.match(submission.file.key, /^courses\/biology\//);
      await repository().save(submission);
    };
    assert.equal((await send(form(file("file", "x"), text("course", "biology")))).status, 201);
  });

  it("gives texts whose names mean something to JavaScript as they are, and always has its method", async () => {
    let received: Form | undefined;
    site.handle = async (ctx) => {
      received = await site.files.receive(ctx, {});
    };
    const names = ["__proto__", "constructor", "toString", "then", "all", "a[b][c]", "hasOwnProperty"];
    const body = form(...names.map((name) => text(name, `value of ${name}`)));
    assert.equal((await send(body)).status, 201);
    for (const name of names.filter((name) => name !== "all")) assert.equal(received![name], `value of ${name}`, name);
    assert.deepEqual(received!.all("all"), ["value of all"]);
    assert.equal(received!.missing, undefined);
    assert.equal(Object.getPrototypeOf(received), null);
    assert.equal(({} as Record<string, unknown>)["value of __proto__"], undefined);
  });

  it("takes several files for several entities, which a function names", async () => {
    const submissions: Submission[] = [];
    site.handle = async (ctx) => {
      await site.files.receive(ctx, async ({ name, filename }) => {
        assert.ok(name === "files", name);
        await sleep(1);
        const submission = repository().create({ course: filename });
        submissions.push(submission);
        return [submission, "file"];
      });
      await repository().save(submissions);
    };
    const parts = Array.from({ length: 10 }, (_, index) => file("files", `content ${index}`, `${index}.txt`));
    assert.equal((await send(form(...parts))).status, 201);
    assert.equal(submissions.length, 10);
    for (const { id, course } of submissions) assert.equal(await saved(id), `content ${course.replace(".txt", "")}`);
    assert.equal((await send(form(...parts, file("files", "x")))).status, 413);
    assert.deepEqual(refusal(site.error)?.details, { part: "files", texts: {} });
  });

  for (const [what, part] of [
    [
      "a browser sends for a field without a file",
      'name="image"; filename=""\r\nContent-Type: application/octet-stream',
    ],
    ["a script sends", 'name="image"'],
  ]) {
    it(`takes an empty part for no file, as ${what}`, async () => {
      const submission = repository().create();
      site.handle = async (ctx) => {
        await site.files.receive(ctx, { file: [submission, "file"], image: [submission, "image"] });
        await repository().save(submission);
      };
      const empty = Buffer.from(`------boundary\r\nContent-Disposition: form-data; ${part}\r\n\r\n\r\n`);
      assert.equal((await send(form(file("file", "x"), empty))).status, 201);
      assert.ok(!submission.image);
    });
  }

  it("refuses a form without a file that the row needs, and leaves one that is there", async () => {
    const submission = repository().create();
    site.handle = async (ctx) => {
      await site.files.receive(ctx, { file: [submission, "file"] });
      await repository().save(submission);
    };
    assert.equal((await send(form(text("course", "x")))).status, 400);
    assert.deepEqual(refusal(site.error), {
      reason: "missing",
      status: 400,
      property: "file",
      details: { part: "file", texts: { course: "x" } },
    });
    assert.equal((await send(form(file("file", "first")))).status, 201);
    assert.equal((await send(form(text("course", "x")))).status, 201);
    assert.equal(await saved(submission.id), "first");
    const loaded = await repository().findOneOrFail({ where: { id: submission.id }, select: { id: true } });
    site.handle = (ctx) => site.files.receive(ctx, { file: [loaded, "file"] });
    assert.equal((await send(form(text("course", "x")))).status, 201);
  });

  for (const [what, parts, status, reason, property] of [
    ["a text in place of the file", [text("file", "x")], 400, "invalid", "file"],
    ["a file twice", [file("file", "1"), file("file", "2")], 400, "invalid", "file"],
    ["a file in a field of another name", [file("file", "1"), file("fiel", "2")], 400, "invalid", undefined],
    ["a file that is too large", [file("file", Buffer.alloc(1_000_001))], 413, "too-large", "file"],
    ["a file of another type", [file("file", "1"), file("image", "no image", "a.png")], 415, "type", "image"],
    ["a part without a name", [file("file", "1"), text("", "x")], 400, "invalid", undefined],
    ["a file without a name of its field", [file("", "1")], 400, "invalid", undefined],
    ["too many texts", [file("file", "1"), ...Array(101).fill(text("a", "x"))], 413, "too-large", undefined],
    ["too long texts", [file("file", "1"), text("a", "x".repeat(2 ** 20))], 413, "too-large", undefined],
  ] as const) {
    it(`refuses ${what} with ${status}, and keeps nothing`, async () => {
      const submission = repository().create();
      site.handle = (ctx) => site.files.receive(ctx, { file: [submission, "file"], image: [submission, "image"] });
      assert.equal((await send(form(...parts))).status, status);
      const { details, ...error } = refusal(site.error)!;
      assert.deepEqual(error, { reason, status, property });
      assert.equal(details.part, property ?? details.part);
      assert.deepEqual(await site.stored(), []);
      assert.deepEqual([submission.file, submission.name], [undefined, undefined]);
    });
  }

  it("refuses a form that is too large by its Content-Length before it reads it", async () => {
    const submission = repository().create();
    site.handle = (ctx) => site.files.receive(ctx, { file: [submission, "file"] });
    const connection = connect(site.port, "127.0.0.1");
    connection.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${CONTENT_TYPE}\r\nContent-Length: 3000000\r\n\r\nnothing more`,
    );
    const [answer] = await once(connection, "data");
    assert.match(String(answer), /^HTTP\/1\.1 413 /);
    connection.destroy();
  });

  it("takes no other body than a form, and no request that was read", async () => {
    site.handle = (ctx) => site.files.receive(ctx, {});
    for (const type of [
      "",
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "multipart/mixed; boundary=a",
    ]) {
      assert.equal((await send(Buffer.from("a=b"), { "Content-Type": type })).status, 400, type);
    }
    site.handle = async (ctx) => {
      for await (const _ of ctx.req);
      await site.files.receive(ctx, {});
    };
    assert.equal((await send(form(text("a", "b")))).status, 500);
    assert.equal(refusal(site.error)?.reason, "unusable");
  });

  it("gives up a form that takes too long, and one whose client sends nothing more", async () => {
    for (const options of [{ timeout: 0.2 }, { stallTimeout: 0.2 }]) {
      const submission = repository().create();
      site.handle = (ctx) => site.files.receive(ctx, { file: [submission, "file"] }, options);
      const connection = connect(site.port, "127.0.0.1");
      const { head, body } = requestOf("/", form(file("file", Buffer.alloc(500_000))));
      connection.write(Buffer.concat([Buffer.from(head), body.subarray(0, 250_000)]));
      const answer: Buffer[] = [];
      connection.on("data", (chunk) => answer.push(chunk));
      await once(connection, "close");
      assert.match(String(Buffer.concat(answer)), /^HTTP\/1\.1 408 /);
      assert.deepEqual(await site.stored(), []);
    }
  });
});

describe("What a form brought", () => {
  it("is deleted when the response is over and nobody saved it, and can't be saved then", async () => {
    const submission = repository().create();
    site.handle = (ctx) => site.files.receive(ctx, { file: [submission, "file"] });
    assert.equal((await send(form(file("file", "x")))).status, 201);
    await eventually(async () => assert.deepEqual(await site.stored(), []));
    await assert.rejects(repository().save(submission), PrivateFileError);
  });

  it("is deleted when the handler throws, when onFields does, and when a transaction is rolled back", async () => {
    const submission = () => repository().create();
    const fail = () => {
      throw new Error("no");
    };
    site.handle = async (ctx) => {
      await site.files.receive(ctx, { file: [submission(), "file"] });
      fail();
    };
    assert.equal((await send(form(file("file", "x")))).status, 500);
    await eventually(async () => assert.deepEqual(await site.stored(), []));
    site.handle = (ctx) => site.files.receive(ctx, { file: [submission(), "file"] }, { onFields: fail });
    assert.equal((await send(form(file("file", "x")))).status, 500);
    assert.deepEqual(await site.stored(), []);
    site.handle = async (ctx) => {
      const one = submission();
      await site.files.receive(ctx, { file: [one, "file"] });
      await site.dataSource.transaction(async (manager) => {
        await manager.save(one);
        fail();
      });
    };
    assert.equal((await send(form(file("file", "x")))).status, 500);
    await eventually(async () => assert.deepEqual(await site.stored(), []));
  });

  it("is deleted when its transaction is rolled back after the response", async () => {
    const finish = withResolvers();
    let saving: Promise<unknown> | undefined;
    site.handle = async (ctx) => {
      const submission = repository().create();
      await site.files.receive(ctx, { file: [submission, "file"] });
      const written = withResolvers();
      saving = site.dataSource.transaction(async (manager) => {
        await manager.save(submission);
        written.resolve();
        await finish.promise;
        throw new Error("no");
      });
      saving.catch(() => {});
      await written.promise;
    };
    assert.equal((await send(form(file("file", "x")))).status, 201);
    await sleep(20);
    assert.equal((await site.stored()).length, 1);
    finish.resolve();
    await assert.rejects(saving!);
    await eventually(async () => assert.deepEqual(await site.stored(), []));
  });

  it("stays when its transaction is committed after the response", async () => {
    let saving: Promise<unknown> | undefined;
    const finish = withResolvers();
    site.handle = async (ctx) => {
      const submission = repository().create();
      await site.files.receive(ctx, { file: [submission, "file"] });
      const written = withResolvers();
      saving = site.dataSource.transaction(async (manager) => {
        await manager.save(submission);
        written.resolve();
        await finish.promise;
      });
      await written.promise;
    };
    assert.equal((await send(form(file("file", "x")))).status, 201);
    finish.resolve();
    await saving;
    await sleep(20);
    assert.equal((await site.stored()).length, 1);
  });

  it("replaces what the entity had, when it is saved", async () => {
    const submission = repository().create();
    site.handle = async (ctx) => {
      await site.files.receive(ctx, { file: [submission, "file"] });
      await repository().save(submission);
    };
    for (const content of ["first", "second"]) assert.equal((await send(form(file("file", content)))).status, 201);
    assert.equal(await saved(submission.id), "second");
    await eventually(async () => assert.equal((await site.stored()).length, 1));
  });

  it("can't be saved before the form was read", async () => {
    const submission = repository().create();
    site.handle = async (ctx) => {
      const receiving = site.files.receive(ctx, { file: [submission, "file"] });
      await assert.rejects(repository().save(submission), { code: "ERR_PRIVATE_FILE_PENDING" });
      await receiving;
    };
    assert.equal((await send(form(file("file", "x")))).status, 201);
    site.handle = (ctx) => site.files.receive(ctx, { file: [submission, "file"] });
    assert.equal((await send(form(text("file", "x")))).status, 400);
    assert.ok(site.error instanceof UploadError);
    submission.file = undefined as never;
    await assert.rejects(
      repository().save(submission),
      (error: { code: string }) => error.code !== "ERR_PRIVATE_FILE_PENDING",
    );
  });
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
