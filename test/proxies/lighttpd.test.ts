import { startLighttpd } from "../support/servers/lighttpd.js";
import { describeProxies } from "./proxy-contract.js";
import { shownServer } from "./shown-servers.js";

describeProxies(shownServer("lighttpd"), [
  {
    name: "with its defaults",
    start: (port) => startLighttpd(`proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => ${port} ) ) )`),
    differences: { "a/b": 404 },
  },
]);
