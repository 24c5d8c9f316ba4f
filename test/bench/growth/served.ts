import { files } from "../files.js";
import { type Scene, wholeFiles } from "../scenes.js";

/** The files that applications serve here: those of 1 KiB, 64 KiB and 1 MiB. */
export const served = files.slice(0, 3);

/** Downloads of them, from the smallest to the largest. */
export const downloads = wholeFiles.slice(0, 3) as [Scene, Scene, Scene];
