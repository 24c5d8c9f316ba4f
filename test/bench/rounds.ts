import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Sample } from "./samples.js";
import { requestOf, type Scene, takesPart, wholeFiles } from "./scenes.js";
import type { Server } from "./servers.js";
import { measureSlice, type SliceLength } from "./slice.js";

/** The length of a run. */
export interface RunLength extends SliceLength {
  rounds: number;
  /** The seconds for which each server is warmed up. */
  warmUp: number;
  /** Ends the run early. */
  signal?: AbortSignal;
}

/**
 * Measures all servers in all scenes after a warm-up, interleaved: in a round every scene visits every server, and each round
 * begins with another server.
 *
 * @param folder the folder of the files.
 * @throws Error when an answer is not as it must be.
 */
export async function measureRounds(
  servers: readonly Server[],
  scenes: readonly Scene[],
  folder: string,
  length: RunLength,
): Promise<Sample[]> {
  const etags = new Map<Server, string>();
  for (const server of servers) etags.set(server, await verify(server, folder));
  const measure = (server: Server, scene: Scene, slice: SliceLength) => {
    length.signal?.throwIfAborted();
    return measureSlice(server, scene, requestOf(scene, server, etags.get(server)), slice);
  };
  for (const server of servers) {
    const asked = scenes.filter((scene) => takesPart(server, scene));
    for (const scene of asked) await measure(server, scene, { leadIn: 0, measured: length.warmUp / asked.length });
  }
  const samples: Sample[] = [];
  for (let round = 0; round < length.rounds; round++) {
    console.error(`Round ${round + 1} of ${length.rounds}`);
    for (const scene of scenes) {
      const asked = servers.filter((server) => takesPart(server, scene));
      for (const server of rotated(asked, round)) {
        const slice = await measure(server, scene, length);
        samples.push({ ...slice, round, scene: scene.name, server: server.name });
      }
    }
  }
  return samples;
}

/** The same list, beginning further on. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/** Compares one download of each file byte for byte, and gives the ETag of the smallest. */
async function verify(server: Server, folder: string): Promise<string> {
  const etags: string[] = [];
  for (const scene of wholeFiles) {
    const { path, headers } = requestOf(scene, server);
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
    const body = Buffer.from(await answer.arrayBuffer());
    if (answer.status !== 200 || !body.equals(await readFile(join(folder, scene.file.name)))) {
      throw new Error(
        `${server.name}: "${path}" is answered ${answer.status} with ${body.length} bytes, not the file.`,
      );
    }
    etags.push(answer.headers.get("etag") ?? "");
  }
  return etags[0]!;
}
