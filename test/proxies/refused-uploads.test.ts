import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import type Koa from "koa";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { needs } from "../support/requirements.js";
import { after, before, describe, it } from "../support/suite.js";
import { SHOWN_SERVERS } from "./shown-servers.js";

@Entity()
class Slide {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Slide>({ accept: ["image/png"], maxSize: 100e6 }) file!: PrivateFile;
}

const ATTEMPTS = 20;

describe("behind a server, as docs/deploy.md shows it, an upload that is refused", () => {
  let application: Application;
  const attachAnything = (app: Koa) =>
    app.use(async (ctx, next) => {
      if (ctx.method !== "PUT") return next();
      if (ctx.path === "/forbidden") ctx.throw(401);
      await application.files.attach(new Slide(), "file", ctx.req, { filename: "slide.html" });
    });
  before(async () => {
    application = await startApplication({ entities: [Slide], before: attachAnything });
  });
  after(() => application?.close());

  for (const { name, program, start } of SHOWN_SERVERS) {
    it(`is answered with its status, though most of it is not sent yet: ${name}`, {
      skip: needs(program),
    }, async (t) => {
      const server = await start(application.port);
      t.after(() => server.stop());
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        assert.equal(await put(server.port, "/slides/7"), 415);
        assert.equal(await put(server.port, "/forbidden"), 401);
      }
    });
  }
});

/**
 * The status that an upload of some megabytes is answered. Caddy resets the connection half a second after its answer, which a client that
 * had no time to read by then does not get; such a client tries again.
 */
async function put(port: number, path: string, tries = 3): Promise<number> {
  return putOnce(port, path).catch((error) => {
    if (error.code !== "ECONNRESET" || tries === 1) throw error;
    return put(port, path, tries - 1);
  });
}

async function putOnce(port: number, path: string): Promise<number> {
  const outgoing = request({ host: "127.0.0.1", port, path, method: "PUT", agent: false });
  outgoing.on("error", () => {}); // a server that has answered may close the connection
  outgoing.end(Buffer.alloc(20_000_000));
  const [incoming] = await once(outgoing, "response");
  incoming.resume();
  await once(incoming, "close");
  return incoming.statusCode;
}
