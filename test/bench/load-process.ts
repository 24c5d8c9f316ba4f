// The process that makes the load. It measures one slice after the other, each as it is told.
import { measureSlice, type Slice, type SliceOrder } from "./slice.js";

/** What it answers to an order. */
export type LoadMessage = { slice: Slice } | { failed: string };

process.on("message", async (order: SliceOrder) => {
  process.send!(await outcome(order));
});
process.on("disconnect", () => process.exit());

async function outcome(order: SliceOrder): Promise<LoadMessage> {
  try {
    return { slice: await measureSlice(order) };
  } catch (error) {
    return { failed: `${(error as Error).stack}` };
  }
}
