import { fstat, readlinkSync } from "node:fs";
import fs from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

/** What is open under a number. */
interface Open {
  /** The descriptor's number. */
  readonly fd: number;
}

/**
 * Whether an open descriptor is what `path` names when no symbolic link is followed on the way. `path` is absolute and
 * its storage's root has no links left in it.
 *
 * Linux tells where a descriptor is, so nothing can be swapped between opening and asking. Elsewhere the path is looked
 * at again, and a link would have to be put in and out twice at the right moments.
 */
export async function isReallyAt(handle: Open, path: string): Promise<boolean> {
  const place = descriptorPath(handle.fd);
  return place === undefined ? isStillAt(handle, path) : place === path;
}

/**
 * Whether an open descriptor was what `path` named, and something has removed or replaced that since. Nobody can put a file
 * of another place under that name.
 */
export function wasAt(handle: Open, path: string): boolean {
  return descriptorPath(handle.fd) === `${path} (deleted)`;
}

/** Whether a folder's path leads through no symbolic link. */
export async function isRealFolder(path: string): Promise<boolean> {
  const real = await fs.realpath(path);
  // File systems of macOS may give a name back in another Unicode form than it was made with.
  return real === path || (process.platform === "darwin" && real.normalize() === path.normalize());
}

/** As {@link isReallyAt}, without `/proc`. */
export async function isStillAt(handle: Open, path: string): Promise<boolean> {
  const [real, there, here] = await Promise.all([
    isRealFolder(dirname(path)),
    fs.lstat(path, { bigint: true }),
    promisify(fstat)(handle.fd, { bigint: true }),
  ]);
  return real && there.dev === here.dev && there.ino === here.ino;
}

/** The path that stands for a descriptor: names under it are looked up in the very folder that is open. */
export function descriptorFolder(handle: Open, path: string): string {
  return descriptorFile(handle) ?? path;
}

/** The path that stands for a descriptor, where the system has such paths. Good while it is open. */
export function descriptorFile(handle: Open): string | undefined {
  return descriptorPath(handle.fd) === undefined ? undefined : `/proc/self/fd/${handle.fd}`;
}

function descriptorPath(fd: number): string | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    // Never touches a disk, so it can't block, and takes less time than a turn of the thread pool.
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}
