import type { Load } from "./load.js";
import type { Running } from "./running.js";
import type { Sample } from "./samples.js";
import { type Scene, wholeFiles } from "./scenes.js";
import type { Slice } from "./slice.js";

/** How long a run is. */
export interface Length {
  rounds: number;
  /** The seconds for which each server is warmed up. */
  warmUp: number;
  /** The unmeasured seconds at the begin of each slice. */
  leadIn: number;
  /** The measured seconds of each slice. */
  measured: number;
}

/** Warms all servers up, one after the other, with all that each will be asked for. */
export async function warmUp(load: Load, runnings: readonly Running[], scenes: readonly Scene[], length: Length) {
  for (const running of runnings) {
    const asked = scenes.filter((scene) => scene.isFor(running.contestant));
    for (const scene of asked) await slice(load, running, scene, { leadIn: 0, measured: length.warmUp / asked.length });
  }
}

/**
 * Measures all servers in all scenes, interleaved: in each round every scene visits every contestant, in an order that begins
 * with another one each time.
 *
 * @param onRound told of each round that is over.
 */
export async function measureRounds(
  load: Load,
  runnings: readonly Running[],
  scenes: readonly Scene[],
  length: Length,
  onRound: (round: number) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let round = 0; round < length.rounds; round++) {
    for (const scene of scenes) {
      const asked = runnings.filter(({ contestant }) => scene.isFor(contestant));
      for (const running of rotated(asked, round)) {
        const found = await slice(load, running, scene, length);
        samples.push({ round, scene: scene.name, contestant: running.contestant.name, slice: found });
      }
    }
    onRound(round);
  }
  return samples;
}

/** A slice with a fixed number of requests is led in by a smaller file: one of its own requests would take too long. */
function slice(
  load: Load,
  { server, order }: Running,
  scene: Scene,
  { leadIn, measured }: Pick<Length, "leadIn" | "measured">,
): Promise<Slice> {
  return load.measure({
    pid: server.pid,
    measured: order(scene),
    leadIn: order(scene.requests === undefined ? scene : wholeFiles[2]!),
    leadInSeconds: leadIn,
    seconds: measured,
    requests: scene.requests,
  });
}

/** The same list, beginning further on. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
