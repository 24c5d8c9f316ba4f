import { cutWhenStalled } from "../http/stall/response-stall.js";
import { checkOptions } from "../options.js";
import { setBody } from "./body/body.js";
import { openPieces } from "./body/open-pieces.js";
import { streamedPieces } from "./body/streamed-pieces.js";
import type { Delivery } from "./delivery.js";
import { STALL_RULES, type StallOptions } from "./stall-options.js";

/**
 * Sends a file from any storage through this process: from one object that is held open where the storage can do that,
 * exactly the promised bytes, or a connection that is cut; small files in one write, large ones as fast as the client takes
 * them, in memory that does not depend on the file's size; one range, or several as multipart/byteranges. The default.
 *
 * @throws ConfigurationError for an unknown option, or a wrong one.
 */
export function streamDelivery(options: StallOptions = {}): Delivery {
  checkOptions("streamDelivery", options, STALL_RULES);
  const { stallTimeout = 60 } = options;
  return {
    async deliver(download) {
      const { ctx, open } = download;
      const noteProgress = cutWhenStalled(ctx, stallTimeout);
      await setBody(download, open ? openPieces(download, open) : streamedPieces(download), noteProgress);
    },
  };
}
