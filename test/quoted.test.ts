import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { quoted } from "../src/quoted.js";

describe("quoted", () => {
  for (const [what, text, wanted] of [
    ["a text as it is, in quotes", "Отчёт 報告 é.pdf", '"Отчёт 報告 é.pdf"'],
    ["quotes and backslashes", '"a\\b"', '"\\"a\\\\b\\""'],
    ["the ends of lines", "a\r\nb\u2028c\u2029d", '"a\\r\\nb\\u{2028}c\\u{2029}d"'],
    ["control characters", "\x1b[31m\x7f\x9b2J", '"\\u001b[31m\\u{7f}\\u{9b}2J"'],
    ["what turns the direction, and what can't be seen", "a\u202eb\u{e0001}c", '"a\\u{202e}b\\u{e0001}c"'],
    ["half a character", "a\ud800", '"a\\ud800"'],
  ] as const) {
    it(`shows ${what}`, () => {
      assert.equal(quoted(text), wanted);
    });
  }
});
