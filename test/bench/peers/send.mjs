import send from "send";
import { root, serve } from "./serve.mjs";

serve((request, response) => send(request, request.url, { root }).pipe(response));
