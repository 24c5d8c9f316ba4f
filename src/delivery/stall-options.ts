import { ConfigurationError } from "../errors.js";

/** How long a delivery that sends through this process waits for a client. */
export interface StallOptions {
  /**
   * For how many seconds a download may make no progress before its connection is cut, so that a client that takes nothing
   * holds no file for ever. A slow client makes progress. More than 0, and at most 86400. (default: 60)
   */
  stallTimeout?: number;
}

/** @throws ConfigurationError for one that is no number of seconds. */
export function checkStallTimeout(delivery: string, { stallTimeout = 60 }: StallOptions): number {
  if (stallTimeout > 0 && stallTimeout <= 86_400) return stallTimeout;
  throw new ConfigurationError(
    `${delivery}: "stallTimeout" is ${stallTimeout}. Give seconds, more than 0 and at most 86400.`,
  );
}
