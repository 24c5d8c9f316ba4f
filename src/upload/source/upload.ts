import type { Readable } from "node:stream";
import type { Request } from "../../http/request-over.js";

/** An upload that is ready to be read, once. */
export interface Upload {
  /** The bytes. */
  stream: Readable;
  /** The same stream, where it is a request, whose connection is needed for the answer. */
  request?: Request;
  /** The path of a file with the same bytes, which the storage may take over. */
  path?: string;
  /** The number of bytes, where it is known before they are read. */
  size?: number;
  /** The name that the source came with. */
  name?: string;
  /** Whether the parser stopped at its limit before the end. Known when the bytes are read. */
  truncated?(): boolean;
  /** Removes what the upload left elsewhere: the temporary file of a form parser. */
  release?(): Promise<void>;
}

/** How many bytes a stream of an upload may hold before anybody takes them, on every version of Node. They may be refused. */
export const READ_AHEAD = 16_384;

/** Lets go of an upload that was read or is not wanted, and of what it left elsewhere. A request stays open for its answer. */
export async function closeUpload({ stream, request, release }: Upload): Promise<void> {
  if (request) request.resume();
  else stream.destroy();
  await release?.();
}
