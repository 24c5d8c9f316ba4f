import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually.js";
import { firstBytes, startServer } from "../support/film-process.js";
import { takesLong } from "../support/requirements.js";
import { describe, it } from "../support/suite.js";

const skip = takesLong || (process.platform !== "linux" && "that count descriptors in /proc");

describe("2,000 readers that take nothing", { skip }, () => {
  for (const [delivery, size] of [
    ["streamDelivery", 60_000],
    ["streamDelivery", 100_000_000],
    ["koaSendDelivery", 100_000_000],
  ] as const) {
    it(`cost ${delivery} at most 80 KiB each, for a film of ${size} bytes`, async (t) => {
      const film = await startServer(t, { size, delivery });
      // What the first requests cost is not theirs, nor the room that the engine makes for what requests leave behind.
      for (let n = 0; n < 60; n++) await Promise.all(Array.from({ length: 50 }, () => film.take("bytes=-1000")));
      const before = await film.status();
      const sockets: Socket[] = [];
      for (let n = 0; n < 2_000; n += 50) {
        sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => film.connectAndAsk()))));
      }
      await sleep(1000);
      let each = Number.POSITIVE_INFINITY;
      // On a busy machine the server needs more time to answer all of them, and to collect its garbage.
      await eventually(async () => {
        const { memory } = await film.status();
        each = (memory - before.memory) / sockets.length / 1024;
        assert.ok(each <= 80, `${each} KiB each`);
      });
      t.diagnostic(`${each.toFixed(1)} KiB each, ${Math.round(before.memory / 1e6)} MB before`);
      const other = await film.take("bytes=-1000");
      assert.match(other.toString("latin1"), /^HTTP\/1\.1 206 /);
      for (const socket of sockets) socket.destroy();
      await eventually(async () => {
        assert.ok((await film.status()).descriptors <= before.descriptors + 2);
      });
    });
  }
});

describe("more downloads than there are descriptors", { skip }, () => {
  for (const delivery of ["streamDelivery", "koaSendDelivery"] as const) {
    it(`are answered 503 with Retry-After by ${delivery}, and served again when some are free`, async (t) => {
      const film = await startServer(t, { size: 100_000_000, delivery, limit: 200 });
      // A connection that finds no descriptor is closed by the system, and nobody can answer on it.
      const sockets = await Promise.all(Array.from({ length: 120 }, () => film.connect()));
      await eventually(async () => assert.ok((await film.status()).descriptors > 120));
      for (const socket of sockets) film.ask(socket);
      const heads = await Promise.all(sockets.map(firstBytes));
      const surplus = heads.filter((head) => head.startsWith("HTTP/1.1 503"));
      const served = heads.filter((head) => head.startsWith("HTTP/1.1 200"));
      assert.equal(
        surplus.length + served.length,
        120,
        heads.find((head) => !/^HTTP\/1.1 (200|503)/.test(head)),
      );
      assert.ok(surplus.length > 0 && served.length > 0, `${surplus.length} were refused`);
      for (const head of surplus) assert.match(head, /\r\nRetry-After: 5\r\n/);
      for (const socket of sockets) socket.destroy();
      await eventually(async () => {
        assert.match(await firstBytes(await film.connectAndAsk()), /^HTTP\/1.1 200/);
      });
    });
  }
});
