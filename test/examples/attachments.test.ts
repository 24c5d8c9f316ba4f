import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { IsNull, LessThan, Not } from "typeorm";
import { attachmentRoutes, removeUnclaimed } from "../../docs/examples/attachments/attachments.js";
import { messageRoutes } from "../../docs/examples/attachments/messages.js";
import { Attachment, Message } from "../../docs/examples/attachments/models.js";
import { type Application, startApplication } from "../support/application.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { eventually } from "../support/eventually.js";
import { after, afterEach, before, it } from "../support/suite.js";

interface Shown {
  id: number;
  name: string;
  size: number;
  type: string;
  url: string;
}

describeOnEachDatabase("The example of an attachment table", (database) => {
  let application: Application;
  before(async () => {
    application = await startApplication({
      database,
      entities: [Message, Attachment],
      before(app) {
        app.silent = true;
        app.use((ctx, next) => attachmentRoutes(application.files).routes()(ctx as never, next));
        app.use((ctx, next) => messageRoutes(application.files).routes()(ctx as never, next));
      },
    });
  });
  after(() => application?.close());
  afterEach(async () => {
    await application.files.remove(Message, { id: Not(IsNull()) });
    await application.files.remove(Attachment, { id: Not(IsNull()) });
    await eventually(async () => assert.equal(await stored(), 0));
  });

  async function stored(): Promise<number> {
    let count = 0;
    for await (const _ of application.storage.list("")) count++;
    return count;
  }

  function ask(method: string, path: string, as: string | undefined, body?: FormData): Promise<Response> {
    const headers: Record<string, string> = as ? { "x-user": as } : {};
    return fetch(`http://127.0.0.1:${application.port}${path}`, { method, headers, body });
  }

  function formOf(fields: [string, string | File][]): FormData {
    const form = new FormData();
    for (const [name, value] of fields) form.append(name, value as string);
    return form;
  }

  const fileNamed = (name: string): [string, File] => ["file", new File([`content of ${name}`], name)];

  async function upload(as: string, ...names: string[]): Promise<Shown[]> {
    const response = await ask("POST", "/attachments", as, formOf(names.map(fileNamed)));
    assert.equal(response.status, 201, String(application.errors.at(-1)?.stack));
    return (await response.json()) as Shown[];
  }

  function write(as: string, ids: (number | string)[], ...names: string[]): Promise<Response> {
    const fields: [string, string | File][] = [
      ["recipient", "bob"],
      ["text", "hello"],
      ...ids.map((id): [string, string] => ["attachment", String(id)]),
      ...names.map(fileNamed),
    ];
    return ask("POST", "/messages", as, formOf(fields));
  }

  const statusOf = async (url: string, as?: string) => (await ask("GET", url, as)).status;

  it("takes files with a message and before it, and shows both to sender and recipient alone", async () => {
    const [first, second] = await upload("alice", "früher 1.txt", "2.txt");
    assert.deepEqual(
      { ...first!, id: 0, url: "" },
      { id: 0, name: "früher 1.txt", size: 24, type: "text/plain", url: "" },
    );
    assert.deepEqual([await statusOf(first!.url, "alice"), await statusOf(first!.url, "bob")], [200, 403]);
    const created = await write("alice", [first!.id, second!.id], "3.txt");
    assert.equal(created.status, 201);
    const path = created.headers.get("location")!;
    assert.deepEqual([await statusOf(path, "eve"), await statusOf(path)], [404, 401]);
    const { text, attachments } = (await (await ask("GET", path, "bob")).json()) as {
      text: string;
      attachments: Shown[];
    };
    assert.equal(text, "hello");
    assert.deepEqual(attachments.map(({ name }) => name).sort(), ["2.txt", "3.txt", "früher 1.txt"]);
    for (const { name, url } of attachments) {
      assert.equal(await (await ask("GET", url, "bob")).text(), `content of ${name}`);
      assert.deepEqual([await statusOf(url, "eve"), await statusOf(url)], [403, 403]);
    }
  });

  it("claims only what is there, unclaimed, and the sender's own: all of it, or nothing", async () => {
    const [mine, other] = await upload("alice", "mine", "other");
    const [ofEve] = await upload("eve", "of-eve");
    assert.equal((await write("alice", [mine!.id])).status, 201);
    for (const ids of [[mine!.id], [other!.id, ofEve!.id], [other!.id, 999_999_999]]) {
      assert.equal((await write("alice", ids, "new")).status, 409, String(ids));
    }
    for (const ids of [["x"], ["1e3"], ["-1"], ["99999999999"], ["1 OR 1=1"], Array(21).fill("1")]) {
      assert.equal((await write("alice", ids, "new")).status, 400, String(ids));
    }
    assert.equal(await application.dataSource.manager.count(Message), 1);
    await eventually(async () => assert.equal(await stored(), 3));
    assert.equal((await write("alice", [other!.id, other!.id])).status, 201);
    assert.equal((await ask("POST", "/messages", "alice", formOf([fileNamed("x")]))).status, 400);
    assert.equal((await ask("POST", "/attachments", undefined, formOf([fileNamed("x")]))).status, 401);
    assert.equal((await ask("POST", "/attachments", "alice", formOf([["other", new File(["x"], "x")]]))).status, 400);
  });

  it("deletes an attachment for its owner, and a message with all of its files for its sender", async () => {
    const [one] = await upload("alice", "one");
    assert.equal((await ask("DELETE", `/attachments/${one!.id}`, "bob")).status, 404);
    assert.equal((await ask("DELETE", `/attachments/${one!.id}`, "alice")).status, 204);
    await eventually(async () => assert.equal(await stored(), 0));
    const path = (await write("alice", [], "2", "3")).headers.get("location")!;
    assert.equal(await stored(), 2);
    assert.equal((await ask("DELETE", path, "bob")).status, 403);
    assert.equal((await ask("DELETE", path, "alice")).status, 204);
    await eventually(async () => assert.equal(await stored(), 0));
    assert.equal(await application.dataSource.manager.count(Attachment), 0);
  });

  it("removes what nobody claimed in time, and never what is claimed at the same moment", async () => {
    const { manager } = application.dataSource;
    for (let round = 0; round < 10; round++) {
      const uploads = await upload("alice", "1", "2", "3");
      await manager.update(Attachment, { message: IsNull() }, { createdAt: new Date(Date.now() - 25 * 3_600_000) });
      const young = await upload("alice", "young");
      assert.equal(
        await manager.countBy(Attachment, { createdAt: LessThan(new Date(Date.now() - 24 * 3_600_000)) }),
        3,
      );
      const claiming = uploads.map(async ({ id }, index) => {
        await sleep(index * round);
        return (await write("alice", [id])).status;
      });
      const removing = repeated(() => removeUnclaimed(application.files));
      const [removed, ...statuses] = await Promise.all([removing, ...claiming]);
      const claimed = statuses.filter((status) => status === 201).length;
      const others = statuses.filter((status) => status !== 201 && status !== 409);
      assert.equal(others.length, application.errors.filter(isDeadlock).length, String(application.errors));
      application.errors.length = 0;
      assert.equal(removed + claimed, 3, `${removed} removed, ${claimed} claimed`);
      await eventually(async () => assert.equal(await stored(), claimed + 1));
      assert.equal(await manager.countBy(Attachment, { message: Not(IsNull()) }), claimed);
      assert.equal(await statusOf(young[0]!.url, "alice"), 200);
      await application.files.remove(Message, { id: Not(IsNull()) });
      await application.files.remove(Attachment, { id: Not(IsNull()) });
    }
  });
});

/** MariaDB ends one of two transactions that wait for each other, which is to be repeated. */
async function repeated<T>(action: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!isDeadlock(error)) throw error;
    }
  }
}

function isDeadlock(error: unknown): boolean {
  return (error as { code?: string }).code === "ER_LOCK_DEADLOCK";
}
