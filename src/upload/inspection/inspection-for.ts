import type { PrivateColumn } from "../../column/private-column.js";
import type { AttachOptions } from "../attach-options.js";
import { Inspection } from "./inspection.js";

/** The inspection that a column asks for, or the call; `undefined` where nothing has to be found out about the bytes. */
export function inspectionFor({ subject, options }: PrivateColumn, call: AttachOptions): Inspection | undefined {
  const { maxSize, accept, fields } = options;
  const rules = {
    maxSize,
    accept,
    type: fields?.type !== undefined,
    sha256: call.sha256 ?? fields?.sha256 !== undefined,
    onProgress: call.onProgress,
  };
  const isAsked = Object.values(rules).some((rule) => rule !== undefined && rule !== false);
  return isAsked ? new Inspection(subject, rules, call.filename ?? "") : undefined;
}
