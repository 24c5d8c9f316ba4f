import assert from "node:assert/strict";
import { lookup } from "mime-types";
import { isAccepted } from "../../../src/upload/inspection/accept.js";
import { evidenceOf } from "../../../src/upload/inspection/evidence.js";
import { describe, it } from "../../support/suite.js";
import { IMPOSTORS, SIGNED, TEXTS } from "./minimal-files.js";

const GROUPS_WITH_SIGNATURES = /^(?:image|audio|video|font)\//;

async function isTaken(entry: string, bytes: Buffer, filename: string): Promise<boolean> {
  return isAccepted([entry], await evidenceOf(bytes.subarray(0, 65_536), filename));
}

/** The entries that an extension may be listed as. */
function entriesOf(extension: string): string[] {
  const type = lookup(extension);
  if (!type) return [`.${extension}`];
  const group = type.replace(/\/.*/, "/*");
  return GROUPS_WITH_SIGNATURES.test(type) && type !== "image/svg+xml"
    ? [`.${extension}`, type, group]
    : [`.${extension}`, type];
}

const signed = SIGNED.flatMap(([extensions, bytes]) =>
  extensions.split(" ").map((extension): [string, Buffer] => [extension, bytes]),
);

describe("accept, given a genuine file", () => {
  for (const [extensions, bytes] of SIGNED) {
    it(`takes it as ${extensions}, whose first bytes are ${JSON.stringify(bytes.toString("latin1", 0, 12))}`, async () => {
      for (const extension of extensions.split(" "))
        for (const entry of entriesOf(extension))
          assert.ok(await isTaken(entry, bytes, `a.${extension}`), `.${extension} as ${entry}`);
    });
  }

  for (const [extensions, text] of TEXTS) {
    it(`takes it as ${extensions}, whose text begins with ${JSON.stringify(text.slice(0, 12))}`, async () => {
      const type = (extension: string) => lookup(extension) || "text/plain";
      for (const extension of extensions.split(" ")) {
        const bytes = Buffer.from(text);
        assert.ok(await isTaken(`.${extension}`, bytes, `a.${extension}`), extension);
        if (lookup(extension)) assert.ok(await isTaken(type(extension), bytes, `a.${extension}`), type(extension));
      }
    });
  }
});

describe("accept, given other bytes under an extension", () => {
  for (const [what, bytes] of Object.entries(IMPOSTORS)) {
    it(`takes ${what.toUpperCase()} as nothing that has a signature`, async () => {
      const genuine = new Set(signed.filter(([, own]) => own.equals(bytes)).map(([extension]) => extension));
      for (const extension of new Set(signed.map(([extension]) => extension))) {
        if (genuine.has(extension) || (extension === "dll" && what === "exe")) continue;
        if (MAY_BE_TEXT.has(extension) && !bytes.includes(0)) continue;
        for (const entry of entriesOf(extension))
          assert.ok(!(await isTaken(entry, bytes, `a.${extension}`)), `.${extension} as ${entry}`);
      }
    });
  }

  it("takes no program and no archive as a text", async () => {
    for (const [extensions] of TEXTS)
      for (const extension of extensions.split(" "))
        for (const bytes of [IMPOSTORS.exe, IMPOSTORS.zip]) {
          if (bytes === IMPOSTORS.zip && (extension === "key" || !lookup(extension))) continue;
          for (const entry of entriesOf(extension))
            assert.ok(!(await isTaken(entry, bytes, `a.${extension}`)), `.${extension} as ${entry}`);
        }
  });

  it("takes no text as a sound that may lack a signature, but such a sound", async () => {
    for (const extension of ["mp3", "aac", "mp2"]) {
      assert.ok(!(await isTaken(`.${extension}`, IMPOSTORS.html, `a.${extension}`)));
      assert.ok(await isTaken(`.${extension}`, Buffer.alloc(500), `a.${extension}`));
    }
  });
});

/** Extensions of films and of archives that texts have, too. */
const MAY_BE_TEXT = new Set(["ts", "mts", "key"]);
