import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Stream, connect, constants, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { EventSubscriber } from "typeorm";
import { type AfterDownloadEvent, type Delivery, koaSendDelivery, streamDelivery } from "typeorm-private-files";
import { changeOpened } from "../support/application.js";
import { eventually } from "../support/eventually.js";
import { withFilm } from "../support/film.js";
import { MemoryStorage } from "../support/memory-storage.js";

const ended: AfterDownloadEvent[] = [];

@EventSubscriber()
class Ends {
  afterDownload(event: AfterDownloadEvent): void {
    ended.push(event);
  }
}

describe("a download over HTTP/2 that is cut is reset with an error, so that no client takes it for the whole", () => {
  for (const [name, deliveryOf, storage] of [
    ["streamDelivery", streamDelivery, undefined],
    ["streamDelivery from a storage that streams", streamDelivery, new MemoryStorage()],
    ["koaSendDelivery", koaSendDelivery, undefined],
  ] as const) {
    it(`when the client takes nothing for stallTimeout: ${name}`, async (t) => {
      const stream = await ask(t, deliveryOf({ stallTimeout: 1 }), storage);
      stream.pause();
      await assertCut(stream, 1500);
    });
  }

  it("when the file turns out to be shorter than it was", async (t) => {
    const stream = await ask(t, streamDelivery(), undefined, 3_000_000);
    await assertCut(stream);
  });
});

/** Asks for a film of eight million bytes. Without a limit it is read to its end. */
async function ask(t: TestContext, delivery: Delivery, storage?: MemoryStorage, limit?: number) {
  ended.length = 0;
  const { application, url } = await withFilm(t, {
    options: { delivery, ...(storage && { storage }) },
    subscribers: [Ends],
  });
  if (limit !== undefined) {
    changeOpened(application, (object) => ({
      read: async (to, position) => (position < limit ? object.read(to, position) : 0),
    }));
  }
  const server = createServer(application.app.callback() as never).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => {
    client.destroy();
    server.close();
  });
  const stream = client.request({ ":path": url }).on("error", () => {});
  await once(stream, "response");
  return stream;
}

async function assertCut(stream: ClientHttp2Stream, pause = 0): Promise<void> {
  await sleep(pause);
  await assert.rejects(buffer(stream));
  assert.equal(stream.rstCode, constants.NGHTTP2_INTERNAL_ERROR);
  await eventually(() =>
    assert.deepEqual(
      ended.map(({ aborted }) => aborted),
      [true],
    ),
  );
}
