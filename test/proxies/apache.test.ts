import { startApache } from "../support/servers/apache.js";
import { shownConfiguration } from "./deploy-page.js";
import { describeProxies } from "./proxy-contract.js";

describeProxies("Apache", "apache2", [
  {
    name: "as docs/deploy.md has it",
    start: (port) => startApache(shownConfiguration("apache", port)),
  },
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
