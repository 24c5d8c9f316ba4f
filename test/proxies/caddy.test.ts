import { startCaddy } from "../support/servers/caddy.js";
import { shownConfiguration } from "./deploy-page.js";
import { describeProxies } from "./proxy-contract.js";

describeProxies("Caddy", "caddy", [
  { name: "as docs/deploy.md has it", start: (port) => startCaddy(shownConfiguration("caddyfile", port)) },
  {
    name: "that takes a prefix from addresses",
    at: "/docs",
    start: (port) => startCaddy(`handle_path /docs/* {\n reverse_proxy 127.0.0.1:${port}\n}`),
  },
  { name: "that compresses", start: (port) => startCaddy(`encode gzip\nreverse_proxy 127.0.0.1:${port}`) },
]);
