import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { get } from "../support/application.js";
import { LONGEST_WAIT } from "../support/eventually.js";
import { runs } from "../support/fuzz.js";
import { type Case, PLACES, pending, SIZE, UNREADABLE, VALUES, WAYS } from "./odd-code.js";

describe("an application whose rules, hooks, name functions, deliveries and storages do anything", () => {
  let site: ChildProcess;
  let port: number;
  let urls: { plain: string; open: string; stream: string };
  let log = "";

  before(async () => {
    site = fork(new URL("./odd-code-site.js", import.meta.url), { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    site.stderr!.setEncoding("utf8").on("data", (text) => {
      log = (log + text).slice(-2000);
    });
    const [message] = await once(site, "message");
    ({ port, urls } = message);
  });
  after(() => site.disconnect());

  const cases = fc
    .record<Case>({
      place: fc.constantFrom(...PLACES),
      way: fc.constantFrom(...WAYS),
      value: fc.nat({ max: VALUES.length - 1 }),
    })
    // Downloads have deadlines; attach waits for "uploadTo" as long as it takes.
    .filter(({ place, value }) => place !== "uploadTo" || VALUES[value] !== pending)
    .filter(({ place, way, value }) => {
      const failsStream = place === "chunk" && way.startsWith("reject");
      return !failsStream || !UNREADABLE.includes(VALUES[value]!);
    });
  const requests = fc.constantFrom({}, { method: "HEAD" }, { headers: { Range: "bytes=5-20000" } });

  it("stays, answers the next request rightly, and sends nobody the bytes of another file", async () => {
    const check = async (one: Case, request: object) => {
      for (const path of [urls.open, urls.stream, "/attach"]) {
        const isUpload = path === "/attach";
        if (isUpload !== (one.place === "uploadTo")) continue;
        await assertKept(path, one, request);
      }
      assert.equal(site.exitCode ?? site.signalCode, null, log);
      const { status, body } = await get(port, urls.plain);
      assert.equal(status, 200, log);
      assert.ok(body.equals(Buffer.alloc(SIZE, "A")), "the plain file");
      const odd = await get(port, urls.open);
      assert.ok(odd.status === 200 && odd.body.equals(Buffer.alloc(SIZE, "B")), "the other file, when nothing is odd");
    };
    await fc.assert(fc.asyncProperty(cases, requests, check), {
      ...runs(150),
      timeout: LONGEST_WAIT,
      includeErrorInReport: true,
      endOnFailure: true,
    });
  });

  /** Warms the memory with the bytes of A, and asks for B. */
  async function assertKept(path: string, one: Case, request: { headers?: object }): Promise<void> {
    await get(port, urls.plain);
    // The application may have to cut the connection, which no other request is to use.
    const headers = { ...request.headers, connection: "close", "x-case": JSON.stringify(one) };
    const answer = await get(port, path, { ...request, headers }).catch((error: Error) => error);
    if (answer instanceof Error) return;
    assert.ok(!answer.body.includes("AA"), "has bytes of the other file");
    // What a delivery sends in place of the file is its own.
    if (answer.status < 300 && path !== "/attach" && one.place !== "deliver") {
      assert.match(answer.body.toString("latin1"), /^B*$/, `${path}: only bytes of its own`);
    }
  }
});
