import assert from "node:assert/strict";
import { Column, Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileColumnOptions,
  type PrivateFileSubscriber,
} from "typeorm-private-files";
import { adoptedFile } from "../support/adopted-file.js";
import { type Answer, type Application, type Ask, get, startApplication } from "../support/application.js";
import { eventually } from "../support/eventually.js";
import { needs } from "../support/requirements.js";
import { startNginx } from "../support/servers/nginx.js";
import type { Server } from "../support/servers/server.js";
import { after, before, describe, it } from "../support/suite.js";

const owned: PrivateFileColumnOptions<Letter> = {
  nullable: true,
  condition: (ctx, letter) => ctx.state.user?.name === letter.owner,
};

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @Column() owner!: string;
  @PrivateFileColumn<Letter>(owned) attached!: PrivateFile | null;
  @PrivateFileColumn<Letter>({ ...owned, attachment: false }) shown!: PrivateFile | null;
  @PrivateFileColumn<Letter>({ ...owned, cacheControl: "private, max-age=60" }) kept!: PrivateFile | null;
  @PrivateFileColumn<Letter>({ ...owned, cacheControl: "public, max-age=60" }) published!: PrivateFile | null;
  @Column({ default: false }) isPublished!: boolean;
  @PrivateFileColumn<Letter>({
    nullable: true,
    condition: (ctx, letter) => {
      asked++;
      return letter.isPublished || ctx.state.user?.name === letter.owner;
    },
    cacheControl: (letter) => (letter.isPublished ? "public, max-age=2" : "private, no-store"),
  })
  news!: PrivateFile | null;
}

type Property = "attached" | "shown" | "kept" | "published" | "news";

/** How often the rule of `news` was asked, and a `beforeDownload` hook was called. */
let asked = 0;
let announced = 0;

@EventSubscriber()
class Counter implements PrivateFileSubscriber<Letter> {
  listenTo() {
    return Letter;
  }
  beforeDownload() {
    announced++;
  }
}

/** Larger than two slices. */
const secret = Buffer.alloc(300_000, "for alice alone. ");

/** How the people say who they are. */
const signIns: Record<string, (name: string) => Ask["headers"]> = {
  "a cookie": (name) => ({ Cookie: `user=${name}` }),
  Authorization: (name) => ({ Authorization: `Bearer ${name}` }),
};

/** Caches all that it may, for everybody: the key is the address alone. */
const caches: Record<string, string> = {
  "of whole answers": "proxy_cache_key $uri;",
  "of slices": "slice 100k; proxy_cache_key $uri$slice_range; proxy_set_header Range $slice_range;",
  "that passes Range on": "proxy_cache_key $uri$http_range; proxy_set_header Range $http_range; proxy_force_ranges on;",
};

describe("behind a shared cache", { skip: needs("nginx") }, () => {
  let application: Application;

  before(async () => {
    application = await startApplication({
      entities: [Letter],
      subscribers: [Counter],
      before: (app) =>
        app.use(async (ctx, next) => {
          const name = ctx.cookies.get("user") || ctx.get("authorization").replace("Bearer ", "");
          if (name) ctx.state.user = { name };
          await next();
        }),
    });
  });
  after(() => application?.close());

  for (const [kind, settings] of Object.entries(caches)) {
    describe(kind, () => {
      let nginx: Server;
      before(async () => {
        nginx = await startNginx({
          http: "proxy_cache_path cache keys_zone=shared:1m;",
          server: `location / {
            proxy_pass http://127.0.0.1:${application.port};
            proxy_http_version 1.1;
            proxy_cache shared;
            proxy_cache_methods GET HEAD;
            proxy_cache_valid any 10m;
            proxy_cache_revalidate on;
            proxy_cache_lock on;
            proxy_ignore_headers Set-Cookie Vary;
            add_header X-Cache $upstream_cache_status always;
            ${settings}
          }`,
        });
      });
      after(() => nginx?.stop());

      for (const property of ["attached", "shown", "kept"] as const) {
        for (const [how, signIn] of Object.entries(signIns)) {
          it(`answers 403 to everybody but the owner, who came first with ${how}: ${property}`, async () => {
            const url = await write(property);
            const etag = await readAsOwner(nginx, url, signIn("alice"));
            for (const headers of [signIn("bob"), signIn("bob"), {}]) await assertRefused(nginx, url, headers, etag);
            assert.ok((await get(nginx.port, url, { headers: signIn("alice") })).body.equals(secret));
          });

          it(`answers 200 to the owner where others were refused first, with ${how}: ${property}`, async () => {
            const url = await write(property);
            for (const headers of [signIn("bob"), {}]) await assertRefused(nginx, url, headers, '"no tag"');
            await readAsOwner(nginx, url, signIn("alice"));
          });
        }
      }

      it("answers 200 as soon as there is a file where there was none", async () => {
        const url = await write("attached");
        const letter = await application.dataSource.manager.findOneByOrFail(Letter, { id: Number(url.split("/")[4]) });
        const attached = adoptedFile(application.dataSource, Letter, "attached", letter.attached!.key);
        // Nobody tells of what this leaves, so the file stays.
        await application.dataSource.manager.update(Letter, { id: letter.id }, { attached: null });
        const asAlice = signIns.Authorization!("alice");
        assert.equal((await get(nginx.port, url, { headers: asAlice })).status, 404);
        await application.dataSource.manager.update(Letter, { id: letter.id }, { attached });
        assert.equal((await get(nginx.port, url, { headers: asAlice })).status, 200);
      });

      it("gives what a column declares public to everybody: the cache does keep what it may", async () => {
        const url = await write("published");
        await get(nginx.port, url, { headers: { Cookie: "user=alice" } });
        const { status, headers, body } = await get(nginx.port, url, { headers: { Cookie: "user=bob" } });
        assert.deepEqual([status, headers["x-cache"]], [200, "HIT"]);
        assert.ok(body.equals(secret));
      });

      it("keeps nothing of a row that is not published, and asks the rule each time", async () => {
        const url = await write("news");
        asked = 0;
        const asAlice = signIns.Authorization!("alice");
        const etag = await readAsOwner(nginx, url, asAlice);
        await assertRefused(nginx, url, signIns["a cookie"]!("bob"), etag);
        assert.ok(asked >= 4 + 7, `${asked}`);
      });

      it("gives a published row without asking the rule or a hook, also after it was withdrawn, until max-age is over", async () => {
        const url = await write("news");
        const row = { id: Number(url.split("/")[4]) };
        const ask = () => get(nginx.port, url);
        assert.equal((await ask()).status, 403);
        // On a busy machine, max-age may be over before the last request.
        await eventually(async () => {
          await application.dataSource.manager.update(Letter, row, { isPublished: true });
          assert.ok((await ask()).body.equals(secret));
          [asked, announced] = [0, 0];
          await application.dataSource.manager.update(Letter, row, { isPublished: false });
          const { status, headers, body } = await ask();
          assert.deepEqual([status, headers["x-cache"], asked, announced], [200, "HIT", 0, 0]);
          assert.ok(body.equals(secret));
        });
        await eventually(async () => assert.equal((await ask()).status, 403));
        assert.ok(asked > 0);
      });
    });
  }

  async function write(property: Property): Promise<string> {
    const letter = application.dataSource.manager.create(Letter, { owner: "alice" });
    await application.files.attach(letter, property, secret, { filename: "letter.txt" });
    await application.dataSource.manager.save(letter);
    return application.files.url(letter, property);
  }
});

/** In all the ways that a cache might remember. */
async function readAsOwner({ port }: Server, path: string, headers: Ask["headers"]): Promise<string> {
  const head = await get(port, path, { method: "HEAD", headers });
  assert.deepEqual([head.status, head.headers["content-length"]], [200, String(secret.length)]);
  const whole = await get(port, path, { headers });
  assert.equal(whole.status, 200);
  assert.ok(whole.body.equals(secret));
  const part = await get(port, path, { headers: { ...headers, Range: "bytes=150000-150009" } });
  // A cache that keeps nothing of an answer is free to ignore Range.
  assert.ok(part.body.equals(part.status === 206 ? secret.subarray(150_000, 150_010) : secret));
  const etag = whole.headers.etag!;
  const again = await get(port, path, { headers: { ...headers, "If-None-Match": etag } });
  assert.ok(again.status === 304 || again.body.equals(secret));
  return etag;
}

async function assertRefused({ port }: Server, path: string, headers: Ask["headers"], etag: string): Promise<void> {
  const asks: Ask[] = [
    { headers },
    { method: "HEAD", headers },
    { headers: { ...headers, Range: "bytes=150000-150009" } },
    { headers: { ...headers, Range: "bytes=0-" } },
    { headers: { ...headers, "If-None-Match": etag } },
    { headers: { ...headers, "If-None-Match": "*", "Cache-Control": "only-if-cached, max-stale" } },
    { headers: { ...headers, "If-Range": etag, Range: "bytes=0-9" } },
  ];
  for (const ask of asks) assertNothingOf(await get(port, path, ask));
}

function assertNothingOf({ status, headers, body }: Answer): void {
  assert.deepEqual([status, headers.etag, headers["x-cache"]], [403, undefined, "MISS"]);
  assert.ok(!body.includes("alice"));
}
