import { objectWith } from "../options.js";

/** What an option must be that says where files are kept. */
export const storageRule = objectWith(
  "a storage",
  ["put", "stat", "read", "delete", "list"],
  {
    stage: "function",
    stageFile: "function",
    open: "function",
    copy: "function",
    path: "function",
    identify: "function",
    removeIncomplete: "function",
  },
  'Give one such as new DiskStorage("var/private")',
);
