import type { Delivery } from "./delivery/delivery.js";
import { deliveryRule } from "./delivery/delivery-rule.js";
import { checkOptions, must, type OptionRules, seconds, trueOrFalse } from "./options.js";
import type { Storage } from "./storage/storage.js";
import { storageRule } from "./storage/storage-rule.js";

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
   * mounted. A slash at its end is dropped. Nothing that a request says is ever used for it. (default: `""`)
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

/** @throws ConfigurationError for an unknown option, or a wrong one. */
export function checkPrivateFilesOptions(options: PrivateFilesOptions): void {
  checkOptions("PrivateFiles", options, RULES);
}

/** The path of the prefix, and what stands before it in links, each without a slash at its end. */
export function linkPaths({ prefix = "/private-files", baseUrl = "" }: PrivateFilesOptions) {
  return { prefix: prefix === "/" ? "" : prefix, baseUrl: baseUrl.replace(/\/$/, "") };
}

const RULES: OptionRules<PrivateFilesOptions> = {
  storage: storageRule,
  delivery: deliveryRule,
  prefix: must(
    "a path",
    (value) => typeof value === "string" && PREFIX.test(value),
    'Give one such as "/files", without a slash at its end and without dots alone between slashes',
  ),
  baseUrl: must("an origin or a path", isBaseUrl, 'Give one such as "https://files.example.com" or "/media"'),
  timeout: seconds(3600),
  retryFor: seconds(86_400),
  hideDenied: trueOrFalse,
};

/** Browsers and proxies take away the segments `.` and `..`. */
const PREFIX = /^\/(?:(?!\.{1,2}(?:\/|$))[\w.~-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)*)?$/;

/** Whether it can stand before a path: with no query, no fragment and no user, and spelt as browsers spell it. */
function isBaseUrl(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const text = /^(?:$|\/(?!\/))/.test(value) ? `http://localhost${value}` : value;
  if (!/^https?:/.test(text) || !URL.canParse(text)) return false;
  const { origin, pathname } = new URL(text);
  const isSpeltSo = `${origin}${pathname}`.replace(/\/$/, "") === text.replace(/\/$/, "");
  return isSpeltSo && !pathname.includes("//");
}
