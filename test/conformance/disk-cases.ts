import type { Case } from "./case.js";
import { changeCases } from "./changes.js";
import { clientCases } from "./clients.js";
import { nameCases } from "./names.js";
import { specialFileCases } from "./special-files.js";

/** What names, the disk, other processes and clients may do to a file server. */
export const diskCases: Case[] = [...nameCases, ...specialFileCases, ...changeCases, ...clientCases];
