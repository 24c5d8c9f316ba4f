import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A network between an application and its database that loses one statement, or the answer to it, and its connection. */
export class LosingProxy {
  readonly #sockets = new Set<Socket>();
  #lost: { text: string; part: "statement" | "answer" } | undefined;
  readonly #server = createServer((client) => this.#connect(client));

  constructor(private readonly target: URL) {}

  /** Starts it; returns the URL of the database behind it. */
  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const url = new URL(this.target);
    url.hostname = "127.0.0.1";
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  /** Loses the next statement whose text contains this, or the answer to it. */
  lose(part: "statement" | "answer", text: string): void {
    this.#lost = { part, text };
  }

  #connect(client: Socket): void {
    const upstream = connect(Number(this.target.port), this.target.hostname);
    for (const socket of [client, upstream]) this.#sockets.add(socket.on("error", () => {}));
    let isLosing = false;
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    upstream.on("data", (chunk) => (isLosing ? client.destroy() : client.write(chunk)));
    client.on("data", (chunk) => {
      const lost = this.#lost && chunk.includes(this.#lost.text) ? this.#lost.part : undefined;
      if (lost) this.#lost = undefined;
      isLosing ||= lost === "answer";
      if (lost === "statement") client.destroy();
      else upstream.write(chunk);
    });
  }
}
