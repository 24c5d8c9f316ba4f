import { Connection } from "./connection.js";
import { press, type Request } from "./press.js";
import { cpuSeconds, peakBytes, resetPeak } from "./processes.js";
import { percentile } from "./statistics.js";

/** What a server is asked for, and for how long. */
export interface SliceOrder {
  port: number;
  /** The server's process. */
  pid: number;
  /** How many requests are under way at once, each on a connection of its own. */
  connections: number;
  /** What is asked for first, unmeasured. */
  leadIn: Request;
  /** For how many seconds. */
  leadInSeconds: number;
  /** What is measured. */
  measured: Request;
  /** For how many seconds; or `requests`. */
  seconds: number;
  /** How many times, however long that takes. (default: for `seconds`) */
  requests?: number;
}

/** What one slice found. */
export interface Slice {
  /** Requests a second. */
  rate: number;
  /** CPU of the server for a request, in seconds. */
  cpuPerRequest: number;
  /** CPU of the server for 10⁹ bytes of bodies, in seconds. */
  cpuPerGigabyte: number;
  /** Latency in seconds: of half the requests at most. */
  p50: number;
  /** Of all but one in a hundred. */
  p99: number;
  /** The most memory that was resident, in bytes. */
  peak: number;
}

/**
 * Measures a server for a while. The measured part begins with idle connections and ends when the last answer has come: all
 * CPU that it took, and no other, is counted.
 */
export async function measureSlice(order: SliceOrder): Promise<Slice> {
  const { port, pid, connections: count, leadIn, leadInSeconds, measured, seconds, requests } = order;
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(port)));
  await press(connections, leadIn, during(leadInSeconds));
  resetPeak(pid);
  const before = cpuSeconds(pid);
  const pressed = await press(connections, measured, requests ? (made) => made < requests : during(seconds));
  const cpu = cpuSeconds(pid) - before;
  for (const connection of connections) connection.close();
  return {
    rate: pressed.requests / pressed.seconds,
    cpuPerRequest: cpu / pressed.requests,
    cpuPerGigabyte: cpu / (pressed.bytes / 1e9),
    p50: percentile(pressed.latencies, 0.5),
    p99: percentile(pressed.latencies, 0.99),
    peak: peakBytes(pid),
  };
}

function during(seconds: number): () => boolean {
  const end = performance.now() + seconds * 1000;
  return () => performance.now() < end;
}
