import type { Delivery } from "./delivery/delivery.js";
import { ConfigurationError } from "./errors.js";
import type { Storage } from "./storage/storage.js";

/** What holds for all columns, unless a column says otherwise. */
export interface PrivateFilesOptions {
  /** Where files are kept. (default: none; then each column names its own) */
  storage?: Storage;
  /** How files are sent. (default: `streamDelivery()`) */
  delivery?: Delivery;
  /** The path below which the routes are. (default: `/private-files`) */
  prefix?: string;
  /**
   * What `url()` puts before the prefix: an origin such as `https://files.example.com`, or the path at which the routes are
   * mounted. Nothing that a request says is ever used for it. (default: `""`)
   */
  baseUrl?: string;
  /**
   * How many seconds each step of a download may take before the answer is 503: the SELECT, the condition, the storage's
   * look at the file, all `beforeDownload` hooks together, and the delivery until it begins to send. A `save` or `remove` waits
   * as long for the storage to delete files, which then goes on by itself. (default: 10)
   */
  timeout?: number;
  /**
   * How many seconds an upload can be saved again after its transaction was rolled back, or its statement failed outside a
   * transaction. Then it is deleted. More than 0, at most 86,400. (default: 60)
   */
  retryFor?: number;
  /** Answers 404 in place of 403, byte for byte as for a row that does not exist. A `condition` that takes time still tells them apart. (default: `false`) */
  hideDenied?: boolean;
}

/** @throws ConfigurationError for a prefix that is not a path, and for a duration that is not one. */
export function checkOptions({
  prefix,
  timeout,
  retryFor,
}: {
  prefix: string;
  timeout: number;
  retryFor: number;
}): void {
  if (!/^\/(?:[\w.~-]+(?:\/[\w.~-]+)*)?$/.test(prefix)) {
    throw new ConfigurationError(
      `PrivateFiles: "prefix" is "${prefix}". Give a path such as "/files", without a slash at its end.`,
    );
  }
  if (!(timeout > 0 && timeout <= 3600)) {
    throw new ConfigurationError(`PrivateFiles: "timeout" is ${timeout}. Give seconds, more than 0 and at most 3600.`);
  }
  if (!(retryFor > 0 && retryFor <= 86_400)) {
    throw new ConfigurationError(
      `PrivateFiles: "retryFor" is ${retryFor}. Give seconds, more than 0 and at most 86400.`,
    );
  }
}
