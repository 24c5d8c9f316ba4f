import { Connection } from "./connection.js";
import { press, type Request } from "./press.js";
import { cpuSeconds, peakBytes, resetPeak } from "./processes.js";
import type { Scene } from "./scenes.js";
import type { Server } from "./servers.js";

/** The seconds of a slice. */
export interface SliceLength {
  /** Those before, which are not measured. */
  leadIn: number;
  measured: number;
}

/** The figures of a slice. */
export interface Slice {
  /** Requests a second. */
  rate: number;
  /** The server's CPU for a request, in seconds. */
  cpu: number;
  /** The most memory that was resident, in bytes. */
  peak: number;
}

/**
 * Measures a server for a while. The measured part begins with idle connections and ends with the last answer: all CPU that it
 * took is counted, and no other.
 */
export async function measureSlice(
  { port, pid }: Pick<Server, "port" | "pid">,
  { connections: count, requests }: Pick<Scene, "connections" | "requests">,
  request: Request,
  { leadIn, measured }: SliceLength,
): Promise<Slice> {
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(port)));
  await press(connections, request, requests ? (made) => made < 1 : during(leadIn));
  resetPeak(pid);
  const before = cpuSeconds(pid);
  const pressed = await press(connections, request, requests ? (made) => made < requests : during(measured));
  const cpu = cpuSeconds(pid) - before;
  for (const connection of connections) connection.close();
  return { rate: pressed.requests / pressed.seconds, cpu: cpu / pressed.requests, peak: peakBytes(pid) };
}

function during(seconds: number): () => boolean {
  const end = performance.now() + seconds * 1000;
  return () => performance.now() < end;
}
