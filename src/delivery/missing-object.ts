import { PrivateFileError } from "../errors.js";
import { visible } from "../quoted.js";
import type { Download } from "./delivery.js";

/** Whether the storage knows by now that the object of a download was removed or replaced. */
export async function isGone({ storage, key, object }: Download): Promise<boolean> {
  const found = await storage.stat(key).catch(() => object);
  return found?.size !== object.size || found.modifiedAt.getTime() !== object.modifiedAt.getTime();
}

/** What to throw for an object that is gone: before the first byte it is answered 404. */
export function gone({ key }: Download, cause?: unknown): PrivateFileError {
  const message = `${visible(key)}: it was removed or replaced between the look at it and its opening. Ask again.`;
  return new PrivateFileError("ERR_PRIVATE_FILE_MISSING", message, { cause });
}
