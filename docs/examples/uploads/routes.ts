import { basename } from "node:path";
import { Readable } from "node:stream";
import Router from "@koa/router";
import type { Context } from "koa";
import { Column, Entity, PrimaryGeneratedColumn, type Repository } from "typeorm";
import { fromPath, PrivateFile, PrivateFileColumn, type PrivateFiles } from "typeorm-private-files";

@Entity()
export class Recording {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @PrivateFileColumn<Recording>({ uploadTo: "recordings", maxSize: 10e9, fields: { name: "name" } }) file!: PrivateFile;
}

/** Uploads without a parser that writes temporary files. Put what decides who may upload before them. */
export function uploadRoutes(files: PrivateFiles, recordings: Repository<Recording>): Router {
  const router = new Router();

  // curl -T talk.webm https://example.com/recordings/talk.webm
  router.put("/recordings/:name", async (ctx) => {
    const recording = recordings.create();
    await files.attach(recording, "file", ctx.req, { filename: ctx.params.name, sha256: expectedDigest(ctx) });
    await created(ctx, recording);
  });

  // The platform's own parser of forms keeps all of them in memory: for small ones.
  router.post("/recordings", async (ctx) => {
    if (!(ctx.request.length <= 1e6)) ctx.throw(413);
    const headers = { "Content-Type": ctx.get("Content-Type") };
    const body = Readable.toWeb(ctx.req) as ReadableStream;
    const form = await new Response(body, { headers }).formData().catch((cause) => ctx.throw(400, { cause }));
    const recording = recordings.create();
    await files.attach(recording, "file", form.get("file") as File);
    await created(ctx, recording);
  });

  async function created(ctx: Context, recording: Recording): Promise<void> {
    await recordings.save(recording);
    ctx.set("Location", files.url(recording, "file"));
    ctx.status = 201;
  }

  return router;
}

/** A file of this machine is copied, and stays where it is. Its path comes from you, never from a request. */
export async function importRecording(files: PrivateFiles, recordings: Repository<Recording>, path: string) {
  const recording = recordings.create();
  await files.attach(recording, "file", fromPath(path), { filename: basename(path) });
  return recordings.save(recording);
}

/** A file of another server, without a copy on the way. */
export async function fetchRecording(files: PrivateFiles, recordings: Repository<Recording>, url: URL) {
  const signal = AbortSignal.timeout(600_000);
  const { ok, status, body } = await fetch(url, { signal });
  if (!ok || !body) throw new Error(`The recording could not be fetched: ${status}.`);
  const recording = recordings.create();
  await files.attach(recording, "file", body as never, { filename: basename(url.pathname), signal });
  return recordings.save(recording);
}

/** The digest that the client says the bytes have (RFC 9530), in hexadecimal. */
function expectedDigest(ctx: Context): string | undefined {
  const field = ctx.get("Content-Digest") || ctx.get("Repr-Digest");
  if (field === "") return undefined;
  const base64 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(field)?.[1];
  return base64 === undefined ? ctx.throw(400) : Buffer.from(base64, "base64").toString("hex");
}
