import fastifyStatic from "@fastify/static";
import Fastify from "fastify";
import { root, serve } from "./serve.mjs";

const app = Fastify();
await app.register(fastifyStatic, { root });
await app.ready();
serve(app.routing);
