import type { Contestant } from "./contestants.js";
import { type BenchFile, files } from "./files.js";
import { KOA_SEND, OURS } from "./names.js";
import type { Request } from "./press.js";
import type { Subject } from "./samples.js";

const [small, , large, huge] = files;
/** The middle of the large file. */
const RANGE = { start: 480 * 1024, end: 544 * 1024 - 1 };

/** One kind of request. */
export interface Scene {
  /** What it is called in the results. */
  name: string;
  file: BenchFile;
  connections: number;
  /** How many requests a slice has. (default: as many as its seconds allow) */
  requests?: number;
  status: number;
  /** Headers beside those of every request. `etag` is the one that the server gives the file. */
  headers?: (etag: string) => Record<string, string>;
  /** (default: the path of the file) */
  path?: (path: string) => string;
  /** Which bytes of the file the body has, both included. (default: none; then it is short text of any length) */
  body?: { start: number; end: number };
  /** Who is asked. */
  isFor(contestant: Contestant): boolean;
}

/** The whole of each file. */
export const wholeFiles: Scene[] = files.map((file) => ({
  name: file.label,
  file,
  connections: file.size < large.size ? 16 : 8,
  // One for each connection.
  requests: file === huge ? 8 : undefined,
  status: 200,
  body: { start: 0, end: file.size - 1 },
  isFor: () => true,
}));

/** One range of the large file. koa-send has none. */
export const range: Scene = {
  name: "range",
  file: large,
  connections: 16,
  status: 206,
  headers: () => ({ range: `bytes=${RANGE.start}-${RANGE.end}` }),
  body: RANGE,
  isFor: ({ name }) => name !== KOA_SEND,
};

/** The small file, which the client has already. */
export const notModified: Scene = ofOurs("not modified", {
  status: 304,
  headers: (etag) => ({ "if-none-match": etag }),
});

/** The small file, asked for by one who may not have it. */
export const refused: Scene = ofOurs("refusal", { status: 403, headers: () => ({ "x-user": "mallory" }) });

/** The small file's row, with another file's name: it is found, and granted, and then there is no such file. */
export const otherName: Scene = ofOurs("other name", {
  status: 404,
  path: (path) => path.replace(/[^/]+$/, "other.bin"),
});

/** A route of the same application that does nothing. */
export const constant: Scene = ofOurs("constant", { status: 200, path: () => "/constant" });

/** All of them. */
export const scenes: Scene[] = [...wholeFiles, range, notModified, refused, otherName, constant];

/** What of koa-send's a scene is compared with: the same file as a whole, or the small one. */
export function koaSendFor(scene: string): Subject {
  const same = wholeFiles.find(({ name }) => name === scene) ?? wholeFiles[0]!;
  return { scene: same.name, contestant: KOA_SEND };
}

/** What a slice of a scene begins with: the same, or a smaller file where one request takes longer than a lead-in. */
export function leadInOf(scene: Scene): Scene {
  return scene.file === huge ? wholeFiles[2]! : scene;
}

/**
 * What a server is asked for in a scene.
 *
 * @param filePath the path of its file at this server.
 * @param etag what this server gave it.
 */
export function requestOf(scene: Scene, filePath: string, etag: string): Request {
  const { status, body, path = (same) => same, headers } = scene;
  return {
    status,
    path: path(filePath),
    headers: { "x-user": "alice", ...headers?.(etag) },
    length: body && body.end - body.start + 1,
  };
}

/** On one database: what the other one costs shows in the whole files. */
function ofOurs(name: string, scene: Pick<Scene, "status" | "headers" | "path">): Scene {
  return {
    name,
    file: small,
    connections: 16,
    isFor: (contestant) => contestant.name === OURS,
    ...scene,
  };
}
