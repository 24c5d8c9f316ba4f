import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A whole request, as it is written to a connection. */
export interface RawRequest {
  head: string;
  body: Uint8Array;
}

/** Sends a request as many times, each cut at another byte of its body, ten at a time. */
export async function cutMany(port: number, request: RawRequest, count: number): Promise<void> {
  const { length } = request.body;
  for (let index = 0; index < count; index += 10) {
    const cuts = Array.from({ length: 10 }, (_, one) => ((index + one) * 7919 + 1) % length);
    await Promise.all(cuts.map((bytes) => cutRequest(port, request, bytes)));
  }
}

/** Sends a request with as many bytes of its body, and leaves. */
export async function cutRequest(port: number, { head, body }: RawRequest, bytes: number): Promise<void> {
  const connection = connect(port, "127.0.0.1").on("error", () => {});
  await once(connection, "connect");
  const begun = Buffer.concat([Buffer.from(head), body.subarray(0, bytes)]);
  await new Promise<void>((resolve) => connection.write(begun, () => resolve()));
  await sleep(bytes % 7);
  connection.destroy();
  await once(connection, "close");
}

/** How many descriptors this process has, where the system says so. */
export function descriptors(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
}
