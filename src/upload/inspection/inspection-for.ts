import type { PrivateColumn } from "../../column/private-column.js";
import type { AttachOptions } from "../attach-options.js";
import { hasBeforeAttach } from "../before-attach.js";
import { Inspection } from "./inspection.js";

/**
 * The inspection that a column asks for, or the call, or a `beforeAttach` hook.
 *
 * @param maxSize the most bytes. (default: the column's)
 */
export function inspectionFor(
  column: PrivateColumn,
  call: AttachOptions,
  maxSize = column.options.maxSize,
): Inspection {
  const { accept, fields } = column.options;
  const isAnnounced = hasBeforeAttach(column);
  const rules = {
    maxSize,
    accept,
    type: isAnnounced || fields?.type !== undefined,
    sha256: call.sha256 ?? (isAnnounced || fields?.sha256 !== undefined),
    onProgress: call.onProgress,
  };
  return new Inspection(column.subject, rules, call.filename ?? "");
}
