import { ConfigurationError } from "./errors.js";
import { isOlder } from "./version.js";

// An entry point imports this first, so that it throws before anything needs what an older Node.js does not have. So what that lacks, such
// as "hash" of node:crypto, is not imported by name: linking would fail before.
if (isOlder(process.versions.node, "20.19.0")) {
  throw new ConfigurationError(
    `typeorm-private-files: Node.js ${process.versions.node} is too old. Install Node.js 20.19 or newer.`,
  );
}
