import Koa from "koa";
import send from "koa-send";
import { root, serve } from "./serve.mjs";

const app = new Koa();
app.use((ctx) => send(ctx, ctx.path, { root, gzip: false, brotli: false }));
serve(app.callback());
