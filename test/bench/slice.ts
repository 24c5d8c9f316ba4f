import { type Order, press } from "./press.js";
import { cpuSeconds, peakBytes, resetPeak } from "./processes.js";
import { percentile } from "./statistics.js";

/** How long a server is measured, and with what. */
export interface SliceOrder {
  /** The server's process. */
  pid: number;
  /** What is measured. */
  measured: Order;
  /** What is asked for before, unmeasured. */
  leadIn: Order;
  /** How many seconds that takes. */
  leadInSeconds: number;
  /** How many seconds requests are made, */
  seconds?: number;
  /** or how many of them. */
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
export async function measureSlice({
  pid,
  measured,
  leadIn,
  leadInSeconds,
  seconds,
  requests,
}: SliceOrder): Promise<Slice> {
  await press(leadIn, until(leadInSeconds));
  resetPeak(pid);
  const before = cpuSeconds(pid);
  const pressed = await press(measured, requests === undefined ? until(seconds!) : (made) => made < requests);
  const cpu = cpuSeconds(pid) - before;
  return {
    rate: pressed.requests / pressed.seconds,
    cpuPerRequest: cpu / pressed.requests,
    cpuPerGigabyte: cpu / (pressed.bytes / 1e9),
    p50: percentile(pressed.latencies, 0.5),
    p99: percentile(pressed.latencies, 0.99),
    peak: peakBytes(pid),
  };
}

function until(seconds: number): () => boolean {
  const end = performance.now() + seconds * 1000;
  return () => performance.now() < end;
}
