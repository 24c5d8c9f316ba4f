import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A network that fails: a proxy for any protocol. */
export interface CuttingProxy {
  port: number;
  /** How many connections were cut so far. */
  cut: number;
  close(): Promise<void>;
}

/** What a proxy cuts. */
export interface Cuts {
  /** After how many bytes from the server a connection is cut. */
  after: number;
  /** How many connections are cut; later ones are left alone. */
  times: number;
}

/** Starts a proxy for a port of loopback. */
export async function startCuttingProxy(port: number, cuts: Cuts): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const socket of [client, upstream]) sockets.add(socket.on("error", () => {}));
    client.on("close", () => upstream.destroy()).pipe(upstream);
    forward(upstream, client, cuts, proxy);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  async function close(): Promise<void> {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  }
  const proxy = { port: (server.address() as AddressInfo).port, cut: 0, close };
  return proxy;
}

function forward(upstream: Socket, client: Socket, cuts: Cuts, proxy: CuttingProxy): void {
  let forwarded = 0;
  upstream.on("data", (chunk) => {
    forwarded += chunk.length;
    if (forwarded >= cuts.after && proxy.cut < cuts.times) {
      proxy.cut++;
      client.end(chunk.subarray(0, chunk.length - (forwarded - cuts.after)));
      upstream.destroy();
    } else if (!client.write(chunk)) upstream.pause();
  });
  client.on("drain", () => upstream.resume());
  upstream.on("close", () => client.destroySoon());
}
