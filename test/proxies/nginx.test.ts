import { startNginx } from "../support/servers/nginx.js";
import { describeProxies } from "./proxy-contract.js";
import { shownServer } from "./shown-servers.js";

/** Where nginx changes an address it decodes it, and a `/` in a primary key becomes one between segments. */
const differences = { "a/b": 404 };

describeProxies(shownServer("nginx"), [
  {
    name: "over HTTP/1.0, its default",
    start: (port) => startNginx({ server: `location / { proxy_pass http://127.0.0.1:${port}; }` }),
  },
  {
    name: "without buffers, with connections that stay open",
    start: (port) =>
      startNginx({
        http: `upstream app { server 127.0.0.1:${port}; keepalive 8; }`,
        server: `location / {
          proxy_pass http://app;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_buffering off;
        }`,
      }),
  },
  {
    name: "with a slash after the port",
    start: (port) => startNginx({ server: `location / { proxy_pass http://127.0.0.1:${port}/; }` }),
    differences,
  },
  {
    name: "that takes a prefix from addresses by the path of proxy_pass",
    at: "/docs",
    start: (port) => startNginx({ server: `location /docs/ { proxy_pass http://127.0.0.1:${port}/; }` }),
    differences,
  },
  {
    name: "that takes a prefix from addresses by rewrite",
    at: "/docs",
    start: (port) =>
      startNginx({
        server: `location /docs/ { rewrite ^/docs(/.*)$ $1 break; proxy_pass http://127.0.0.1:${port}; }`,
      }),
    differences,
  },
]);
