import { type OptionRules, seconds } from "../options.js";

/** How long a delivery that sends through this process waits for a client. */
export interface StallOptions {
  /**
   * For how many seconds a download may make no progress before its connection is cut, so that a client that takes nothing
   * holds no file for ever. A slow client makes progress. More than 0, and at most 86400. (default: 60)
   */
  stallTimeout?: number;
}

/** What they must be. */
export const STALL_RULES: OptionRules<StallOptions> = { stallTimeout: seconds(86_400) };
