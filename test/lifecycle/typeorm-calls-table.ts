import assert from "node:assert/strict";
import { type TypeormCall, typeormCalls } from "./typeorm-calls.js";

/** The table of docs/lifecycle.md as the tests have it, line by line. Where the page differs, put this into it. */
export function typeormCallsTable(): string[] {
  return [
    "| call | new file: done | failed | rolled back | old file: done | failed or rolled back |",
    "|---|---|---|---|---|---|",
    ...typeormCalls.map((call) => `| ${[call.call, ...newFileOf(call), ...oldFileOf(call)].join(" | ")} |`),
  ];
}

function newFileOf({ newFile }: TypeormCall): string[] {
  return newFile ? [newFile.done, newFile.failed ?? "", newFile.rolledBack] : ["", "", ""];
}

function oldFileOf({ oldFile, isRefused, commitsAtOnce }: TypeormCall): string[] {
  if (!oldFile) return ["", ""];
  const { done, failed, rolledBack } = oldFile;
  assert.equal(failed ?? rolledBack, rolledBack, "The page has one column for both.");
  if (isRefused) return [`refused: ${done}`, `refused: ${rolledBack}`];
  return [done, commitsAtOnce ? `${rolledBack}; rolled back on ${commitsAtOnce.join(", ")}: ${done}` : rolledBack];
}
