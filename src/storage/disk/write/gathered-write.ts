import type { FileHandle } from "node:fs/promises";

/** Bytes that go to the disk in one turn of the thread pool. Two such batches are in memory at most. */
const BATCH_BYTES = 512 * 1024;
/** Chunks in a batch: bounds what a body of tiny chunks costs, and is what systems take in one `writev`. */
const BATCH_CHUNKS = 1024;

/**
 * Writes chunks in batches: a write for each chunk of a socket would take a third more CPU. One batch is written while
 * the next one is gathered.
 *
 * @returns the number of bytes.
 * @throws what `chunks` throws, and the file system's errors.
 */
export async function writeGathered(handle: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let total = 0;
  let gathered = 0;
  let batch: Uint8Array[] = [];
  let writing = Promise.resolve();
  for await (const chunk of chunks) {
    batch.push(chunk);
    gathered += chunk.byteLength;
    if (gathered < BATCH_BYTES && batch.length < BATCH_CHUNKS) continue;
    await writing;
    writing = writeBatch(handle, batch, gathered);
    // It is awaited later; until then nobody would hear it fail.
    writing.catch(ignore);
    total += gathered;
    gathered = 0;
    batch = [];
  }
  await writing;
  await writeBatch(handle, batch, gathered);
  return total + gathered;
}

async function writeBatch(handle: FileHandle, batch: Uint8Array[], length: number): Promise<void> {
  if (length === 0) return;
  let { bytesWritten: written } = await handle.writev(batch);
  // A disk that is full takes a part and says nothing. Writing the rest makes it say why.
  while (written < length) written += (await handle.write(Buffer.concat(batch).subarray(written))).bytesWritten;
}

function ignore(): void {}
