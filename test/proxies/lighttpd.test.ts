import { startLighttpd } from "../support/servers/lighttpd.js";
import { shownConfiguration } from "./deploy-page.js";
import { describeProxies } from "./proxy-contract.js";

describeProxies("lighttpd", "lighttpd", [
  {
    name: "as docs/deploy.md has it",
    start: (port) => startLighttpd(shownConfiguration("lighttpd", port)),
  },
  {
    name: "with its defaults",
    start: (port) => startLighttpd(`proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => ${port} ) ) )`),
    differences: { "a/b": 404 },
  },
]);
