import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../support/programs.js";

/** Makes a film of some 70 MB, several times what a browser reads ahead: two seconds of noise, over and over. */
export async function makeFilm(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "private-files-film-"));
  const [piece, film] = [join(folder, "piece.webm"), join(folder, "film.webm")];
  try {
    await ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=2,noise=alls=60:allf=t", ...QUICK, piece);
    // Without an index at its front a player reads a film from its start on.
    await ffmpeg("-stream_loop", "59", "-i", piece, "-c", "copy", "-cues_to_front", "1", film);
    return await readFile(film);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const QUICK = "-c:v libvpx -b:v 4M -minrate 4M -deadline realtime -cpu-used 8 -g 25".split(" ");

async function ffmpeg(...args: string[]): Promise<void> {
  const { code, stderr } = await run("ffmpeg", "-v", "error", ...args);
  assert.equal(code, 0, stderr);
}
