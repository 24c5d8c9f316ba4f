import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import type { Request } from "./press.js";
import type { Scene } from "./scenes.js";

/**
 * Compares one answer with the file, byte for byte, and gives its ETag: who sends less, or something else, is no contestant.
 *
 * @param source the folder of the files.
 * @throws Error for another status, and for other bytes.
 */
export async function verify(port: number, request: Request, scene: Scene, source: string): Promise<string> {
  const { path, status } = request;
  const { name, body, file } = scene;
  const answer = await ask(port, request);
  const came = await digest(answer);
  if (answer.statusCode !== status) throw new Error(`${name}: ${path} is answered ${answer.statusCode}.`);
  if (body && came !== (await digest(createReadStream(join(source, file.name), body)))) {
    throw new Error(`${name}: ${path} is answered with other bytes than the file has.`);
  }
  return answer.headers.etag ?? "";
}

function ask(port: number, { path, headers }: Request): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers, agent: false }, resolve).on("error", reject);
  });
}

async function digest(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}
