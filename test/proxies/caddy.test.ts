import { startCaddy } from "../support/servers/caddy.js";
import { describeProxies } from "./proxy-contract.js";
import { shownServer } from "./shown-servers.js";

describeProxies(shownServer("Caddy"), [
  {
    name: "that takes a prefix from addresses",
    at: "/docs",
    start: (port) => startCaddy(`handle_path /docs/* {\n reverse_proxy 127.0.0.1:${port}\n}`),
  },
]);
