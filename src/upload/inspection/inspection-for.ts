import type { PrivateColumn } from "../../column/private-column.js";
import type { AttachOptions } from "../attach-options.js";
import { hasBeforeAttach } from "../before-attach.js";
import { Inspection } from "./inspection.js";

/**
 * The inspection that a column asks for, or the call, or a `beforeAttach` hook; `undefined` where nothing has to be found out about the
 * bytes.
 */
export function inspectionFor(column: PrivateColumn, call: AttachOptions): Inspection | undefined {
  const { subject, options } = column;
  const { maxSize, accept, fields } = options;
  const isAnnounced = hasBeforeAttach(column);
  const rules = {
    maxSize,
    accept,
    type: isAnnounced || fields?.type !== undefined,
    sha256: call.sha256 ?? (isAnnounced || fields?.sha256 !== undefined),
    onProgress: call.onProgress,
  };
  const isAsked = Object.values(rules).some((rule) => rule !== undefined && rule !== false);
  return isAsked ? new Inspection(subject, rules, call.filename ?? "") : undefined;
}
