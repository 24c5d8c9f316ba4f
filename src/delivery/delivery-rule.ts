import { objectWith } from "../options.js";

/** What an option must be that says how files are sent. */
export const deliveryRule = objectWith(
  "a delivery",
  ["deliver"],
  { opens: "boolean", ranges: "boolean", cacheControl: "string" },
  "Give one such as streamDelivery()",
);
