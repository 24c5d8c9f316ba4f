import { connect } from "node:net";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { EventSubscriber } from "typeorm";
import { type BeforeAttachEvent, type PrivateFileSubscriber, UploadError } from "typeorm-private-files";

/** Where clamd listens: `TCPSocket` and `TCPAddr` of clamd.conf. For `LocalSocket`, give `{ path: "/run/clamav/clamd.ctl" }`. */
export const clamd = { host: "127.0.0.1", port: 3310 };

@EventSubscriber()
export class VirusScan implements PrivateFileSubscriber {
  async beforeAttach({ open, signal, metadata, propertyName }: BeforeAttachEvent) {
    const answer = await scan(await open(), signal);
    if (answer === "stream: OK") return;
    const virus = /^stream: (.+) FOUND$/.exec(answer)?.[1];
    if (virus === undefined) throw new Error(`clamd: it answered "${answer}". Look at its log.`);
    throw new UploadError("type", `${metadata.name}.${propertyName}: the upload contains ${virus}. Send another file.`);
  }
}

/** What clamd says of some bytes, such as `stream: OK`. */
async function scan(bytes: Readable, signal?: AbortSignal): Promise<string> {
  const socket = connect(clamd);
  socket.setTimeout(60_000, () => socket.destroy(new Error("clamd: it did not answer. See whether it runs.")));
  // clamd may answer and close before it has read everything: what counts is its answer, or why there is none.
  pipeline(instream(bytes), socket, { signal }).catch(() => {});
  const answer = await text(socket);
  return answer.replace("\0", "");
}

/** The command INSTREAM, chunks behind their lengths, and an empty chunk. */
async function* instream(bytes: Readable): AsyncGenerator<Buffer> {
  yield Buffer.from("zINSTREAM\0");
  for await (const chunk of bytes) yield Buffer.concat([uint32(chunk.length), chunk]);
  yield uint32(0);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
