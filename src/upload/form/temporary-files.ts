import { createWriteStream, type WriteStream } from "node:fs";
import { unlink } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { whenRequestOver } from "../../http/request-over.js";

/** The files of requests that are not over. */
const ofRequest = new WeakMap<IncomingMessage, WriteStream[]>();
/** The paths of the files that `attach` has not taken. */
const unattached = new Set<string>();

/** Opens a file for a part of a form. Only this user can read it. It is deleted when the request is over, unless `attach` takes it before. */
export function openTemporaryFile(request: IncomingMessage, path: string): WriteStream {
  const file = createWriteStream(path, { flags: "wx", mode: 0o600 });
  unattached.add(path);
  const known = ofRequest.get(request);
  if (known) known.push(file);
  else begin(request, [file]);
  return file;
}

/** Leaves the deletion of a file to the caller. Returns whether this package opened it, so that nobody else can write to it. */
export function takeTemporaryFile(path: string): boolean {
  return unattached.delete(path);
}

/** Deletes a file, whether it is there or not. */
export async function removeTemporaryFile(path: string): Promise<void> {
  takeTemporaryFile(path);
  await unlink(path).catch(() => {});
}

function begin(request: IncomingMessage, files: WriteStream[]): void {
  ofRequest.set(request, files);
  whenRequestOver(request, () => {
    ofRequest.delete(request);
    for (const file of files) if (unattached.has(file.path as string)) void remove(file);
  });
}

/** A file that is being opened would be there again after it was deleted, so it is closed first. */
async function remove(file: WriteStream): Promise<void> {
  if (!file.closed) await new Promise<void>((resolve) => file.once("close", resolve).destroy());
  await removeTemporaryFile(file.path as string);
}
