import type { Load } from "./load.js";
import { readIntoPageCache } from "./page-cache.js";
import type { Running, SliceLength } from "./running.js";
import { type Sample, Samples } from "./samples.js";
import type { Scene } from "./scenes.js";
import type { Workbench } from "./workbench.js";

/** How long a run is. */
export interface RunLength extends SliceLength {
  rounds: number;
  /** The seconds for which each server is warmed up. */
  warmUp: number;
}

/**
 * Measures all servers in all scenes after a warm-up, interleaved: in a round every scene visits every contestant, in an order
 * that begins with another one each time.
 *
 * @throws Error when one does not answer each request as it must.
 */
export async function measureRounds(
  workbench: Workbench,
  runnings: readonly Running[],
  scenes: readonly Scene[],
  length: RunLength,
): Promise<Samples> {
  const { load, folder, say } = workbench;
  say("Warm-up");
  for (const running of runnings) await running.verify(scenes, folder);
  await warmUp(load, runnings, scenes, length.warmUp);
  const samples: Sample[] = [];
  for (let round = 0; round < length.rounds; round++) {
    say(`Round ${round + 1} of ${length.rounds}`);
    samples.push(...(await measureRound(workbench, runnings, scenes, length, round)));
  }
  return new Samples(samples);
}

/** The same list, beginning further on. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/** All servers, one after the other, with all that each will be asked for. */
async function warmUp(load: Load, runnings: readonly Running[], scenes: readonly Scene[], seconds: number) {
  for (const running of runnings) {
    const asked = scenes.filter((scene) => scene.isFor(running.contestant));
    for (const scene of asked) await running.measure(load, scene, { leadIn: 0, measured: seconds / asked.length });
  }
}

async function measureRound(
  { load, folder }: Workbench,
  runnings: readonly Running[],
  scenes: readonly Scene[],
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
