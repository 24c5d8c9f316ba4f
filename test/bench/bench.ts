// "npm run bench": measures downloads from the package and from others.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { contestants } from "./contestants.js";
import { makeFiles } from "./files.js";
import { Load } from "./load.js";
import { type Length, measureRounds, warmUp } from "./rounds.js";
import { type Running, startRunning } from "./running.js";
import { Samples } from "./samples.js";
import { scenes } from "./scenes.js";

const { values } = parseArgs({
  options: { rounds: { type: "string" }, short: { type: "boolean", default: false } },
});
const length: Length = values.short
  ? { rounds: 3, warmUp: 3, leadIn: 0.1, measured: 0.4 }
  : { rounds: 9, warmUp: 10, leadIn: 0.2, measured: 1 };
if (values.rounds) length.rounds = Number(values.rounds);

const folder = await mkdtemp(join(tmpdir(), "private-files-bench-"));
const load = new Load();
const runnings: Running[] = [];
try {
  await makeFiles(folder);
  for (const contestant of contestants) {
    if (contestant.missing) console.log(`Without ${contestant.name}: ${contestant.missing}.`);
    else runnings.push(await startRunning(contestant, scenes, folder, folder));
  }
  console.log("Warming up.");
  await warmUp(load, runnings, scenes, length);
  const samples = new Samples(
    await measureRounds(load, runnings, scenes, length, (round) =>
      console.log(`Round ${round + 1} of ${length.rounds}`),
    ),
  );
  for (const scene of scenes) {
    console.log(`\n${scene.name}`);
    console.table(
      Object.fromEntries(
        runnings
          .filter(({ contestant }) => scene.isFor(contestant))
          .map(({ contestant: { name } }) => {
            const subject = { scene: scene.name, contestant: name };
            const base = samples.has({ scene: scene.name, contestant: "koa-send" })
              ? { scene: scene.name, contestant: "koa-send" }
              : { scene: "1 KiB", contestant: "koa-send" };
            return [
              name,
              {
                "requests/s": Math.round(samples.median(subject, "rate")),
                "of koa-send": samples.ratio(subject, base, "rate").toFixed(2),
                "CPU µs": Math.round(samples.median(subject, "cpuPerRequest") * 1e6),
                "CPU of koa-send": samples.ratio(subject, base, "cpuPerRequest").toFixed(2),
                "CPU s/GB": samples.median(subject, "cpuPerGigabyte").toFixed(2),
                "p50 ms": (samples.median(subject, "p50") * 1000).toFixed(2),
                "p99 ms": (samples.median(subject, "p99") * 1000).toFixed(2),
                "peak MiB": (samples.most(subject, "peak") / 2 ** 20).toFixed(0),
              },
            ];
          }),
      ),
    );
  }
} finally {
  load.stop();
  await Promise.all(runnings.map(({ server }) => server.stop()));
  await rm(folder, { recursive: true, force: true });
}
