import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AnswerReader } from "./answer-reader.js";

const FOUND = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nContent-Length: 5\r\n\r\n";
const NOT_MODIFIED = 'HTTP/1.1 304 Not Modified\r\netag: "a"\r\ncontent-length: 5\r\n\r\n';

describe("The reader of answers", () => {
  it("returns the status and length of an answer with its last byte", () => {
    const reader = new AnswerReader();
    assert.equal(reader.read(Buffer.from(`${FOUND}hel`)), undefined);
    assert.deepEqual(reader.read(Buffer.from("lo")), { status: 200, length: 5 });
  });

  it("reads the same from every split, one answer after the other", () => {
    const bytes = Buffer.from(`${FOUND}hello`);
    for (let at = 1; at < bytes.length; at++) {
      const reader = new AnswerReader();
      for (let time = 0; time < 2; time++) {
        assert.equal(reader.read(bytes.subarray(0, at)), undefined);
        assert.deepEqual(reader.read(bytes.subarray(at)), { status: 200, length: 5 }, `split at ${at}`);
      }
    }
  });

  it("keeps the beginning of a head when its memory is used again", () => {
    const reader = new AnswerReader();
    const memory = Buffer.from(FOUND);
    reader.read(memory.subarray(0, 20));
    const rest = Buffer.from(`${FOUND.slice(20)}hello`);
    memory.fill(0);
    assert.deepEqual(reader.read(rest), { status: 200, length: 5 });
  });

  it("knows that a 304 has no body", () => {
    const reader = new AnswerReader();
    assert.deepEqual(reader.read(Buffer.from(NOT_MODIFIED)), { status: 304, length: 0 });
    assert.deepEqual(reader.read(Buffer.from(`${FOUND}hello`)), { status: 200, length: 5 });
  });

  it("fails for bytes after an answer", () => {
    assert.throws(() => new AnswerReader().read(Buffer.from(`${FOUND}hello!`)), /1 bytes after the end/);
  });

  it("fails for an answer without a length", () => {
    const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    assert.throws(() => new AnswerReader().read(Buffer.from(chunked)), /not understood/);
    assert.throws(() => new AnswerReader().read(Buffer.from("SSH-2.0-server\r\n\r\n")), /not understood/);
  });
});
