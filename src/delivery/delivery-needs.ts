import type { Delivery } from "./delivery.js";

/** Whether a delivery reads the object through this process: by default one that sends ranges. */
export function readsObject({ opens, ranges }: Delivery): boolean {
  return opens ?? ranges !== false;
}

/** Whether a delivery leaves the object to another server, and the request's Range with it. */
export function leavesRange(delivery: Delivery): boolean {
  return delivery.ranges === false && !readsObject(delivery);
}
