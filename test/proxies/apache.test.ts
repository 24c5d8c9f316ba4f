import { startApache } from "../support/servers/apache.js";
import { describeProxies } from "./proxy-contract.js";
import { shownServer } from "./shown-servers.js";

describeProxies(shownServer("Apache"), [
  {
    name: "that decodes addresses and encodes them again, its default",
    start: (port) => startApache(`ProxyPass / http://127.0.0.1:${port}/`),
    // Apache answers this itself.
    differences: { "a/b": 404 },
  },
  {
    name: "with nocanon alone",
    start: (port) => startApache(`ProxyPass / http://127.0.0.1:${port}/ nocanon`),
    differences: { "a/b": 404 },
  },
  {
    name: "with AllowEncodedSlashes NoDecode alone, which forgets to encode % again",
    start: (port) => startApache(`AllowEncodedSlashes NoDecode\nProxyPass / http://127.0.0.1:${port}/`),
    differences: { "50%.pdf": 400, "50%": 400, "a%2Fb.pdf": 404, "..%2f": 404 },
  },
]);
