import { UploadError } from "typeorm-private-files";
import { Refusal } from "./errors.js";

/** What the site says of an upload that was refused. Any other error is left as it is. */
export function refusalOf(error: unknown, mostFiles: number): unknown {
  if (!(error instanceof UploadError) || error.status === undefined) return error;
  const { reason, details } = error;
  const typed = details.texts?.description;
  return new Refusal(error.status, textOf(reason, details, mostFiles), { field: "file", typed });
}

function textOf(reason: UploadError["reason"], details: UploadError["details"], mostFiles: number): string {
  const { filename = "The file", maxSize, accept } = details;
  switch (reason) {
    case "too-large":
      return maxSize === undefined
        ? `At most ${mostFiles} files can be uploaded at once.`
        : `${filename} is too large: at most ${readableSize(maxSize)}.`;
    case "type":
      return `${filename} is of another type. Accepted are ${accept?.join(", ")}.`;
    case "missing":
      return "Choose a file first.";
    case "stalled":
      return "The upload took too long. Try it again.";
    default:
      return "The upload did not arrive whole. Try it again.";
  }
}

function readableSize(bytes: number): string {
  return bytes >= 1e9 ? `${bytes / 1e9} GB` : `${bytes / 1e6} MB`;
}
