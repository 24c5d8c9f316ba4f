import { startHaproxy } from "../support/servers/haproxy.js";
import { describeProxies } from "./proxy-contract.js";
import { shownConfiguration, shownServer } from "./shown-servers.js";

describeProxies(shownServer("HAProxy"), [
  {
    name: "that takes a prefix from addresses",
    at: "/docs",
    start: (port) =>
      startHaproxy(
        shownConfiguration("haproxy", port).replace(/^ *server /m, "http-request replace-path /docs(/.*) \\1\n$&"),
      ),
  },
]);
