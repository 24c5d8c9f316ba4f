import { type BenchFile, files } from "./files.js";
import type { Request } from "./press.js";
import { OURS, type Server } from "./servers.js";

const [small, , large, huge] = files;

/** One kind of request. */
export interface Scene {
  /** Its name in the tables. */
  name: string;
  file: BenchFile;
  /** How many requests are under way at once. */
  connections: number;
  /** How many requests a slice has. (default: as many as its seconds allow) */
  requests?: number;
  status: number;
  /** The bytes of the body. (default: any number) */
  length?: number;
  /** The share of koa-send's CPU for the whole file that this package may take. (default: no aim) */
  aim?: number;
  /** Headers beside those of every request. `etag` is the server's for the file. */
  headers?: (etag: string) => Record<string, string>;
  /** (default: the path of the file) */
  path?: string;
  /** Whether only this package on SQLite is asked. (default: false) */
  oursOnly?: boolean;
}

/** Downloads of each whole file. */
export const wholeFiles: Scene[] = [0.75, 0.75, 0.45, 0.37].map((aim, index) => wholeFile(files[index]!, aim));

const ofOurs = { file: small, connections: 16, oursOnly: true };

/** All scenes, in the order of the tables. */
export const scenes: Scene[] = [
  ...wholeFiles,
  { ...ofOurs, name: "304", status: 304, length: 0, aim: 0.6, headers: (etag) => ({ "if-none-match": etag }) },
  { ...ofOurs, name: "403", status: 403, aim: 0.6, headers: () => ({ "x-user": "mallory" }) },
  // A route of the same application that does nothing: it tells how fast JavaScript is on this machine.
  { ...ofOurs, name: "constant route", status: 200, path: "/constant" },
];

/** Whether a server is measured in a scene. */
export function takesPart({ name }: Server, { oursOnly }: Scene): boolean {
  return !oursOnly || name === OURS;
}

/** The request that a scene makes to a server. */
export function requestOf({ file, status, length, path, headers }: Scene, server: Server, etag = ""): Request {
  return {
    ...{ status, length },
    path: path ?? server.paths[file.label]!,
    headers: { "x-user": "alice", ...headers?.(etag) },
  };
}

function wholeFile(file: BenchFile, aim: number): Scene {
  return {
    ...{ name: file.label, file, status: 200, length: file.size, aim },
    connections: file.size < large.size ? 16 : 8,
    // One for each connection.
    requests: file === huge ? 8 : undefined,
  };
}
