import { describe } from "node:test";
import type { Delivery } from "../delivery/delivery.js";
import type { StallOptions } from "../delivery/stall-options.js";
import { describeBytes } from "./delivery/bytes.js";
import { describeChangingFiles } from "./delivery/changing-files.js";
import { describeKeptConnections } from "./delivery/kept-connections.js";
import { describeLeavingClients } from "./delivery/leaving-clients.js";
import { describeMiddleware } from "./delivery/middleware.js";
import { describeNeighbouringFiles } from "./delivery/neighbouring-files.js";
import { describeSlowClients } from "./delivery/slow-clients.js";
import type { Subject } from "./delivery/subject.js";
import { describeSwappedFiles } from "./delivery/swapped-files.js";
import { withFilm } from "./fixture/film.js";

/** Makes a delivery to test, which cuts stalled downloads after the given `stallTimeout`. */
export type MakeDelivery = (options: StallOptions) => Delivery;

/** How the suite for deliveries runs. */
export interface DeliverySuiteOptions {
  /**
   * Whether the long tests run in full: thousands of answers and of clients that leave, and a client that stays slow for
   * seconds. That takes most of a minute; otherwise the same tests run with fewer, in about ten seconds. (default: `false`)
   */
  thorough?: boolean;
}

/**
 * Defines a test suite with all that a delivery must do that sends the files of a disk through this process, whole and in ranges,
 * as `streamDelivery` and `koaSendDelivery` do. It is not for a delivery that leaves the sending to another server, nor for
 * one with `ranges: false`. Call it in a test file that `node --test` runs.
 *
 * Each test starts a Koa application on a free port of 127.0.0.1, with a `DiskStorage` in a temporary folder and a data source on
 * sql.js: the suite needs the package `sql.js`. Tests that need `/proc` or a program are skipped where those are missing.
 *
 * @param name what the report calls the delivery.
 * @param make makes the delivery. It is called in each test.
 */
export function describeDelivery(
  name: string,
  make: MakeDelivery,
  { thorough = false }: DeliverySuiteOptions = {},
): void {
  const subject: Subject = {
    thorough,
    withFilm(t, { stallTimeout, ...options } = {}) {
      const delivery = make(stallTimeout === undefined ? {} : { stallTimeout });
      return withFilm(t, { ...options, options: { delivery } });
    },
  };
  describe(name, () => {
    describe("the bytes", () => describeBytes(subject));
    describe("a file beside others", () => describeNeighbouringFiles(subject));
    describe("a file that changes while it is sent", () => describeChangingFiles(subject));
    describe("a file that changes before it is sent", () => describeSwappedFiles(subject));
    describe("a client that leaves", () => describeLeavingClients(subject));
    describe("a client that is slow", () => describeSlowClients(subject));
    describe("the connection after a download", { concurrency: true }, () => describeKeptConnections(subject));
    describe("middleware around the delivery", () => describeMiddleware(subject));
  });
}
