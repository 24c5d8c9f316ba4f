import assert from "node:assert/strict";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../support/eventually.js";
import type { DrivenBrowser } from "./driven-browser.js";

/** A file as a browser saved it. */
export interface SavedFile {
  name: string;
  bytes: Buffer;
}

/** Waits until a browser has saved one file, which is complete at so many bytes, and takes it out of the folder. */
export async function takeSavedFile({ downloads }: DrivenBrowser, size: number): Promise<SavedFile> {
  let saved: SavedFile | undefined;
  await eventually(async () => {
    const [name = "", ...others] = await readdir(downloads);
    assert.deepEqual(others, []);
    assert.doesNotMatch(name, UNFINISHED);
    saved = { name, bytes: await readFile(join(downloads, name)) };
    assert.equal(saved.bytes.length, size);
  });
  await rm(join(downloads, saved!.name));
  return saved!;
}

const UNFINISHED = /^$|\.(part|crdownload|wkdownload)$/;
