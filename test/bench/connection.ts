import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { AnswerReader, type WholeAnswer } from "./answer-reader.js";

/** The memory that all connections read into: each read is processed before the next. */
const buffer = Buffer.allocUnsafe(1024 * 1024);
/** The milliseconds after which an idle connection has failed. */
const PATIENCE = 30_000;

/**
 * A keep-alive connection with one request at a time, directly on `node:net`: the parser of an HTTP library takes more CPU for
 * an answer than nginx does, and the benchmark would measure the parser.
 */
export class Connection {
  private readonly reader = new AnswerReader();
  private waiting: { resolve(answer: WholeAnswer): void; reject(error: Error): void } | undefined;
  private failure: Error | undefined;

  private constructor(private readonly socket: Socket) {}

  /** Opens a connection to a port of loopback. */
  static async open(port: number): Promise<Connection> {
    const callback = (length: number) => connection.receive(buffer.subarray(0, length));
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, onread: { buffer, callback } });
    const connection = new Connection(socket);
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`No byte arrived for ${PATIENCE / 1000} s.`)));
    await once(socket, "connect");
    socket.on("error", (error) => connection.fail(error));
    socket.on("close", () => connection.fail(new Error("The server has closed the connection.")));
    return connection;
  }

  /**
   * Sends a request and waits for the end of the answer.
   *
   * @param text the whole request.
   * @throws Error when the answer is malformed, or ends early.
   */
  async ask(text: string): Promise<WholeAnswer> {
    if (this.failure) throw this.failure;
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.socket.write(text, "latin1");
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(bytes: Buffer): boolean {
    try {
      const answer = this.reader.read(bytes);
      if (answer) this.waiting?.resolve(answer);
    } catch (error) {
      this.socket.destroy(error as Error);
    }
    return true;
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.waiting?.reject(this.failure);
  }
}
