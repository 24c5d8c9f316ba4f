import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { untilTurn } from "../../src/http/response-turn.js";

describe("a response that was not given to a connection, as in a unit test", () => {
  it("does not wait for a turn that would never come", { timeout: 5000 }, async () => {
    const req = new IncomingMessage(new Socket());
    await untilTurn({ req, res: new ServerResponse(req) });
  });
});
