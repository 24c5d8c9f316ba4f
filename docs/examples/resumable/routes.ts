import type { IncomingMessage } from "node:http";
import Router from "@koa/router";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";
import type { Context } from "koa";
import { type PrivateFiles, UploadError } from "typeorm-private-files";
import { FinishedUploads } from "./finished-uploads.js";
import { MAX_SIZE, Recording } from "./recording.js";

/** Resumable uploads. Put what signs users in before the routes, and call `tus.cleanUpExpiredUploads()` every hour. */
export function resumableUploads(files: PrivateFiles, directory: string): { router: Router; tus: Server } {
  const store = new FileStore({ directory, expirationPeriodInMilliseconds: 24 * 3_600_000 });
  const finished = new FinishedUploads(files, store);
  const owners = new WeakMap<IncomingMessage, string>();
  const tus = new Server({
    path: "/uploads",
    relativeLocation: true,
    datastore: store,
    maxSize: MAX_SIZE,
    // What the client says of the owner does not count.
    async onUploadCreate(request, { metadata }) {
      const owner = owners.get(request.runtime?.node?.req as IncomingMessage)!;
      return { metadata: { filename: metadata?.filename ?? null, owner } };
    },
    async onUploadFinish(_request, upload) {
      const recording = await finished.finish(upload);
      return { headers: { "Content-Location": files.url(recording, "file") } };
    },
    onResponseError: answerOf,
  });

  const router = new Router();
  router.post("/uploads", async (ctx) => {
    owners.set(ctx.req, userOf(ctx));
    await handle(tus, ctx);
  });
  // There is no GET: tus would send the bytes, whatever the column's rule says.
  router.register("/uploads/:id", ["HEAD", "PATCH", "DELETE"], async (ctx) => {
    const owner = userOf(ctx);
    const uploadId = ctx.params.id!;
    const done = await files.dataSource.getRepository(Recording).findOneBy({ uploadId, owner });
    if (done) return sayWhole(ctx, done);
    const upload = await store.getUpload(uploadId).catch(() => undefined);
    if (upload?.metadata?.owner !== owner) return ctx.throw(404);
    // After a crash, or an answer that got lost, the client asks how far it is.
    if (ctx.method === "HEAD" && upload.offset === upload.size) return sayWhole(ctx, await finished.finish(upload));
    await handle(tus, ctx);
  });
  return { router, tus };
}

/** By default tus tells the client the message of any error. */
function answerOf(_request: unknown, error: unknown) {
  if (!(error instanceof Error)) return undefined;
  return { status_code: (error instanceof UploadError && error.status) || 500, body: "" };
}

function userOf(ctx: Context): string {
  return ctx.state.user?.name ?? ctx.throw(401);
}

async function handle(tus: Server, ctx: Context): Promise<void> {
  ctx.respond = false;
  await tus.handle(ctx.req, ctx.res);
}

function sayWhole(ctx: Context, { size }: Recording): void {
  if (ctx.method !== "HEAD") ctx.throw(409);
  ctx.set({
    "Tus-Resumable": "1.0.0",
    "Upload-Offset": `${size}`,
    "Upload-Length": `${size}`,
    "Cache-Control": "no-store",
  });
  ctx.status = 200;
}
