import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Contestant, Server } from "./contestants.js";
import type { Load } from "./load.js";
import type { Order } from "./press.js";
import { orderOf, type Scene, wholeFiles } from "./scenes.js";
import type { Slice } from "./slice.js";
import { verify } from "./verify.js";

/** The seconds of a slice: those of its lead-in, which is not measured, and those that are. */
export interface SliceLength {
  leadIn: number;
  measured: number;
}

/** A contestant whose server runs. */
export class Running {
  private readonly etags: Record<string, string> = {};

  private constructor(
    readonly contestant: Contestant,
    private readonly server: Server,
  ) {}

  /**
   * Starts a contestant.
   *
   * @param folder where a folder of its own may be made.
   * @param source the folder of the files.
   */
  static async start(contestant: Contestant, folder: string, source: string): Promise<Running> {
    const own = join(folder, contestant.name.replace(/\W+/g, "-"));
    await mkdir(own);
    return new Running(contestant, await contestant.start(own, source));
  }

  /** The server's process. */
  get pid(): number {
    return this.server.pid;
  }

  /**
   * Asks it once for everything that it will be asked for.
   *
   * @param source the folder of the files.
   * @throws Error when it does not answer as it must.
   */
  async verify(scenes: readonly Scene[], source: string): Promise<void> {
    try {
      // The ETags come first: other scenes ask with them.
      for (const scene of wholeFiles) this.etags[scene.file.label] = await verify(this.order(scene), scene, source);
      const others = scenes.filter((scene) => !wholeFiles.includes(scene) && scene.isFor(this.contestant));
      for (const scene of others) await verify(this.order(scene), scene, source);
    } catch (error) {
      throw new Error(`${this.contestant.name} does not answer as it must.`, { cause: error });
    }
  }

  /** Measures it in a scene. */
  async measure(load: Load, scene: Scene, { leadIn, measured }: SliceLength): Promise<Slice> {
    return load.measure({
      pid: this.pid,
      measured: this.order(scene),
      // One request of a scene with a fixed number of them takes too long.
      leadIn: this.order(scene.requests === undefined ? scene : wholeFiles[2]!),
      leadInSeconds: leadIn,
      seconds: measured,
      requests: scene.requests,
    });
  }

  /** Ends the server. */
  async stop(): Promise<void> {
    await this.server.stop();
  }

  private order(scene: Scene): Order {
    const { label } = scene.file;
    return orderOf(scene, this.server.port, this.server.paths[label]!, this.etags[label] ?? "");
  }
}
