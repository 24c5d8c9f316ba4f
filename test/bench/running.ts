import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import type { Contestant, Server } from "./contestants.js";
import type { Order } from "./press.js";
import { orderOf, type Scene, wholeFiles } from "./scenes.js";

/** A contestant whose server is running, and answers as it must. */
export interface Running {
  contestant: Contestant;
  server: Server;
  /** What it is asked for in a scene. */
  order(scene: Scene): Order;
}

/** Starts a contestant, and asks it once for everything that it will be asked for. */
export async function startRunning(
  contestant: Contestant,
  scenes: readonly Scene[],
  folder: string,
  source: string,
): Promise<Running> {
  const own = join(folder, contestant.name.replace(/\W+/g, "-"));
  await mkdir(own);
  const server = await contestant.start(own, source);
  const etags: Record<string, string> = {};
  const order = (scene: Scene) =>
    orderOf(scene, server.port, server.paths[scene.file.label]!, etags[scene.file.label] ?? "");
  try {
    for (const scene of wholeFiles) etags[scene.file.label] = await verify(order(scene), scene, source);
    for (const scene of scenes) if (scene.isFor(contestant)) await verify(order(scene), scene, source);
  } catch (error) {
    await server.stop();
    throw new Error(`${contestant.name} does not answer as it must.`, { cause: error });
  }
  return { contestant, server, order };
}

/** Compares one answer with the file, byte for byte, and gives its ETag. */
async function verify(
  { port, path, headers, status }: Order,
  { name, body, file }: Scene,
  source: string,
): Promise<string> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers }, resolve).on("error", reject);
  });
  const came = await digest(answer);
  if (answer.statusCode !== status) throw new Error(`${name}: ${path} is answered ${answer.statusCode}.`);
  if (body && came !== (await digest(createReadStream(join(source, file.name), body)))) {
    throw new Error(`${name}: ${path} is answered with other bytes than the file has.`);
  }
  return answer.headers.etag ?? "";
}

async function digest(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}
