import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Contestant, Server } from "./contestants.js";
import type { Load } from "./load.js";
import type { Request } from "./press.js";
import { leadInOf, requestOf, type Scene, wholeFiles } from "./scenes.js";
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
      const whole = scenes.filter((scene) => wholeFiles.includes(scene));
      for (const scene of whole) this.etags[scene.file.label] = await this.ask(scene, source);
      const others = scenes.filter((scene) => !wholeFiles.includes(scene) && scene.isFor(this.contestant));
      for (const scene of others) await this.ask(scene, source);
    } catch (error) {
      throw new Error(`${this.contestant.name} does not answer as it must.`, { cause: error });
    }
  }

  /** Measures it in a scene. */
  async measure(load: Load, scene: Scene, { leadIn, measured }: SliceLength): Promise<Slice> {
    const { connections, requests } = scene;
    return load.measure({
      ...{ port: this.server.port, pid: this.pid, connections, requests },
      leadIn: this.request(leadInOf(scene)),
      leadInSeconds: leadIn,
      measured: this.request(scene),
      seconds: measured,
    });
  }

  /** Ends the server. */
  async stop(): Promise<void> {
    await this.server.stop();
  }

  private async ask(scene: Scene, source: string): Promise<string> {
    return verify(this.server.port, this.request(scene), scene, source);
  }

  private request(scene: Scene): Request {
    const { label } = scene.file;
    return requestOf(scene, this.server.paths[label]!, this.etags[label] ?? "");
  }
}
