import sirv from "sirv";
import { root, serve } from "./serve.mjs";

// It lists the folder once, as in production; in development mode it would ask the disk each time.
serve(sirv(root, { etag: true }));
