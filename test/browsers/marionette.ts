import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection to a Firefox that is driven: its own protocol, which has the commands of WebDriver. */
export interface Marionette {
  /** Sends a command, and gives what comes back. */
  send(command: string, parameters?: object): Promise<unknown>;
  end(): void;
}

/** Connects to the port of 127.0.0.1 on which a Firefox listens. */
export async function connectMarionette(port: number): Promise<Marionette> {
  const socket = connect(port, "127.0.0.1");
  const messages = messagesOf(socket);
  // The first message is Firefox's introduction.
  await messages.next();
  let last = 0;
  return {
    async send(command, parameters = {}) {
      const id = ++last;
      const message = JSON.stringify([COMMAND, id, command, parameters]);
      socket.write(`${Buffer.byteLength(message)}:${message}`);
      const { value } = await messages.next();
      const [, answered, error, result] = (value ?? [0, id, { message: "Firefox is gone." }]) as Response;
      if (error || answered !== id) throw new Error(`${command}: ${error?.message ?? `answered ${answered}`}`);
      return result;
    },
    end: () => socket.destroy(),
  };
}

const COMMAND = 0;

type Response = [type: number, id: number, error: { message: string } | null, result: unknown];

/** The messages on a connection, each of which is its length in bytes, a colon, and JSON. */
async function* messagesOf(socket: Socket): AsyncGenerator<unknown> {
  await once(socket, "connect");
  let buffer = Buffer.alloc(0);
  for await (const chunk of socket) {
    buffer = Buffer.concat([buffer, chunk as Buffer]);
    for (;;) {
      const start = buffer.indexOf(":") + 1;
      const end = start + Number(buffer.toString("latin1", 0, start - 1));
      if (start === 0 || buffer.length < end) break;
      yield JSON.parse(buffer.toString("utf8", start, end));
      buffer = buffer.subarray(end);
    }
  }
}
