import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { UploadError } from "../../storage/upload-error.js";
import { removeTemporaryFile, takeTemporaryFile } from "../form/temporary-files.js";
import type { Upload } from "./upload.js";

/** An upload of a file of this machine, which stays. */
export async function fromFile(subject: string, path: string): Promise<Upload> {
  try {
    // A FIFO would make a plain open wait for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (stats.isFile()) return { stream: file.createReadStream({ highWaterMark: 1 << 19 }), size: stats.size };
    await file.close();
  } catch (cause) {
    throw new UploadError("unusable", `${subject}: the file to attach can't be opened. See the cause.`, { cause });
  }
  throw new UploadError("unusable", `${subject}: the path to attach is no regular file. Give the path of a file.`);
}

/** An upload of a temporary file of a form parser, which is removed. */
export async function fromTemporaryFile(subject: string, path: string, name?: string, size?: number): Promise<Upload> {
  const isOurs = takeTemporaryFile(path);
  const release = () => removeTemporaryFile(path);
  try {
    const upload = await fromFile(subject, path);
    return { ...upload, path: isOurs ? path : undefined, size: size ?? upload.size, name, release };
  } catch (error) {
    await release();
    throw error;
  }
}
