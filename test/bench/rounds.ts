import type { Load } from "./load.js";
import { readIntoPageCache } from "./page-cache.js";
import type { Running, SliceLength } from "./running.js";
import type { Sample } from "./samples.js";
import type { Scene } from "./scenes.js";

/** Warms all servers up, one after the other, with all that each will be asked for. */
export async function warmUp(load: Load, runnings: readonly Running[], scenes: readonly Scene[], seconds: number) {
  for (const running of runnings) {
    const asked = scenes.filter((scene) => scene.isFor(running.contestant));
    for (const scene of asked) await running.measure(load, scene, { leadIn: 0, measured: seconds / asked.length });
  }
}

/**
 * Measures all servers in all scenes, interleaved: in a round every scene visits every contestant, in an order that begins with
 * another one each time.
 *
 * @param folder where all files are.
 * @param round the number of this round, from 0 up.
 */
export async function measureRound(
  load: Load,
  runnings: readonly Running[],
  scenes: readonly Scene[],
  folder: string,
  length: SliceLength,
  round: number,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const scene of scenes) {
    await readIntoPageCache(folder, scene.file.size);
    const asked = runnings.filter(({ contestant }) => scene.isFor(contestant));
    for (const running of rotated(asked, round)) {
      const slice = await running.measure(load, scene, length);
      samples.push({ round, scene: scene.name, contestant: running.contestant.name, slice });
    }
  }
  return samples;
}

/** The same list, beginning further on. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
