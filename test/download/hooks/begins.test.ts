import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Delivery } from "typeorm-private-files";
import { filmOf, withFilm } from "../../support/film.js";

/** Nginx, or a bucket, reads the Range header. */
const elsewhere: Delivery = {
  ranges: false,
  opens: false,
  async deliver({ ctx }) {
    ctx.body = "";
  },
};

const SIZE = 1000;
const rows: [what: string, begins: boolean, header: string | undefined, size: number][] = [
  ["the whole file", true, undefined, SIZE],
  ["an empty file", true, undefined, 0],
  ["a range of an empty file, which is answered with all of it", true, "bytes=0-1", 0],
  ["everything from the first byte on", true, "bytes=0-", SIZE],
  ["the first three bytes", true, "bytes=0-2", SIZE],
  ["the first two bytes, as Safari's probe does", false, "bytes=0-1", SIZE],
  ["the first byte, as other players' probes do", false, "bytes=0-0", SIZE],
  ["all of a file of two bytes", true, "bytes=0-1", 2],
  ["all of a file of one byte", true, "bytes=0-", 1],
  ["the first of two bytes", false, "bytes=0-0", 2],
  ["everything from the second byte on", false, "bytes=1-", SIZE],
  ["the last bytes", false, "bytes=-5", SIZE],
  ["as many last bytes as there are", true, "bytes=-1000", SIZE],
  ["several ranges, one of them from the first byte on", true, "bytes=500-599,0-99", SIZE],
  ["the first two bytes and a later range", true, "bytes=0-1,500-599", SIZE],
  ["several later ranges", false, "bytes=100-199,500-599", SIZE],
  ["a Range that breaks the grammar, which is answered with the whole file", true, "bytes=9-1", SIZE],
];

for (const [where, delivery] of [
  ["that this process sends", undefined],
  ["whose Range another server reads", elsewhere],
] as const) {
  describe(`event.begins of a download ${where}`, () => {
    for (const [what, begins, header, size] of rows) {
      it(`is ${begins} for ${what}`, async (t) => {
        const film = await withEvents(t, size, delivery);
        await film.get(header ? { Range: header } : {});
        assert.deepEqual(film.begins, [begins]);
      });
    }

    it("is true once for the requests of a player: a probe, the beginning, and later parts", async (t) => {
      const film = await withEvents(t, SIZE, delivery);
      for (const Range of ["bytes=0-1", "bytes=0-999999", "bytes=300-", "bytes=600-699"]) await film.get({ Range });
      assert.deepEqual(film.begins, [false, true, false, false]);
    });

    it("is true once where a checker asks for the first byte before somebody gets the whole file", async (t) => {
      const film = await withEvents(t, SIZE, delivery);
      await film.get({ Range: "bytes=0-0" });
      await film.get({});
      assert.deepEqual(film.begins, [false, true]);
    });

    it("is true twice for a player that starts twice at the first byte, as it knows nothing of earlier requests", async (t) => {
      const film = await withEvents(t, SIZE, delivery);
      for (const Range of ["bytes=0-", "bytes=500-", "bytes=0-"]) await film.get({ Range });
      assert.deepEqual(film.begins, [true, false, true]);
    });

    it("is the same in afterDownload", async (t) => {
      const film = await withEvents(t, SIZE, delivery);
      await film.get({ Range: "bytes=0-1" });
      await film.get({});
      assert.deepEqual(await film.afterwards(2), [false, true]);
    });
  });
}

describe("event.begins with an If-Range", () => {
  it("is true where it does not hold, so that the whole file is sent", async (t) => {
    const film = await withEvents(t, SIZE);
    const { headers } = await film.get({});
    await film.get({ Range: "bytes=10-", "If-Range": headers.etag! });
    await film.get({ Range: "bytes=10-", "If-Range": '"another"' });
    assert.deepEqual(film.begins, [true, false, true]);
  });

  it("goes by the Range where another server reads both, whose validators are its own", async (t) => {
    const film = await withEvents(t, SIZE, elsewhere);
    await film.get({ Range: "bytes=10-", "If-Range": '"a tag of the bucket"' });
    await film.get({ Range: "bytes=0-", "If-Range": '"a tag of the bucket"' });
    assert.deepEqual(film.begins, [false, true]);
  });

  it("is false for a Range behind the end, which the other server answers 416", async (t) => {
    const film = await withEvents(t, SIZE, elsewhere);
    await film.get({ Range: "bytes=1000-" });
    assert.deepEqual(film.begins, [false]);
  });
});

describe("event.begins with more ranges than this process sends", () => {
  const later = Array.from({ length: 20 }, (_, index) => `${10 + 20 * index}-${19 + 20 * index}`).join();

  it("is true where this process answers them with the whole file", async (t) => {
    const film = await withEvents(t, SIZE);
    assert.equal((await film.get({ Range: `bytes=${later}` })).status, 200);
    assert.deepEqual(film.begins, [true]);
  });

  it("is false where another server may send them, and true where one of them is the beginning", async (t) => {
    const film = await withEvents(t, SIZE, elsewhere);
    await film.get({ Range: `bytes=${later}` });
    await film.get({ Range: `bytes=0-9,${later}` });
    assert.deepEqual(film.begins, [false, true]);
  });
});

describe("a delivery with ranges: false", () => {
  it("counts one download of four Range requests, and does not open its file", async (t) => {
    const film = await withEvents(t, SIZE, { ranges: false, deliver: elsewhere.deliver });
    for (const Range of ["bytes=0-249", "bytes=250-499", "bytes=500-749", "bytes=750-"]) await film.get({ Range });
    assert.deepEqual(film.begins, [true, false, false, false]);
    assert.equal(film.opened(), 0);
  });

  it("counts each request that it answers with the whole file itself, which opens: true says", async (t) => {
    const film = await withEvents(t, SIZE, {
      ranges: false,
      opens: true,
      async deliver({ ctx, open, length }) {
        const body = Buffer.alloc(length);
        await open!.read(body, 0);
        ctx.body = body;
      },
    });
    for (const Range of ["bytes=1-", "bytes=0-1"]) assert.equal((await film.get({ Range })).body.length, SIZE);
    assert.deepEqual(film.begins, [true, true]);
    assert.equal(film.opened(), 2);
  });
});

describe("a delivery with opens: false", () => {
  it("gets what the storage knows of the object, which is not opened", async (t) => {
    const deliveries: Parameters<Delivery["deliver"]>[0][] = [];
    const delivery: Delivery = {
      ...elsewhere,
      async deliver(download) {
        deliveries.push(download);
        download.ctx.body = "";
      },
    };
    const { application, url } = await withFilm(t, { content: filmOf(SIZE), options: { delivery } });
    const open = t.mock.method(application.storage, "open");
    assert.equal((await application.get(url)).status, 200);
    assert.equal(open.mock.callCount(), 0);
    assert.equal(deliveries[0]!.open, undefined);
    assert.equal(deliveries[0]!.object.size, SIZE);
  });
});

/** A film, and what the hooks are told of its downloads. */
async function withEvents(t: TestContext, size: number, delivery?: Delivery) {
  const begins: boolean[] = [];
  const after: boolean[] = [];
  const { application, url } = await withFilm(t, {
    content: filmOf(size),
    options: { delivery },
    beforeDownload: (event) => void begins.push(event.begins),
  });
  const open = t.mock.method(application.storage, "open");
  let told = () => {};
  application.dataSource.subscribers.push({
    afterDownload(event: { begins: boolean }) {
      after.push(event.begins);
      told();
    },
  } as never);
  return {
    begins,
    opened: () => open.mock.callCount(),
    get: (headers: Record<string, string>) => application.get(url, { headers }),
    async afterwards(count: number) {
      while (after.length < count) await new Promise<void>((resolve) => (told = resolve));
      return after;
    },
  };
}
