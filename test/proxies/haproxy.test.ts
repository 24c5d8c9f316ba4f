import { startHaproxy } from "../support/servers/haproxy.js";
import { shownConfiguration } from "./deploy-page.js";
import { describeProxies } from "./proxy-contract.js";

describeProxies("HAProxy", "haproxy", [
  { name: "as docs/deploy.md has it", start: (port) => startHaproxy(shownConfiguration("haproxy", port)) },
  {
    name: "that takes a prefix from addresses",
    at: "/docs",
    start: (port) =>
      startHaproxy(
        shownConfiguration("haproxy", port).replace(/^ *server /m, "http-request replace-path /docs(/.*) \\1\n$&"),
      ),
  },
]);
