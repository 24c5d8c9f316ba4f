import * as fs from "node:fs";

/** Linux' numbers of file systems that are on the disks and in the memory of this machine (statfs(2)). */
const LOCAL = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0xf2f52010, // F2FS
  0x2fc12fc1, // ZFS
  0xca451a4e, // bcachefs
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
]);

/**
 * Whether a folder's file system holds in memory what it knows of each open file, so that asking it for that, or closing a small
 * file, takes less time than a turn of the thread pool, and never waits for a disk. One of a network, or of another process
 * (FUSE), may wait for its server.
 */
export function keepsInodesInMemory(folder: string): boolean {
  try {
    return process.platform === "linux" && LOCAL.has(fs.statfsSync(folder).type);
  } catch {
    return false;
  }
}
