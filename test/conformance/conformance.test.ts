import assert from "node:assert/strict";
import { takesLong } from "../support/requirements.js";
import { after, before, describe, it } from "../support/suite.js";
import { type Case, Deviation } from "./case.js";
import { diskCases } from "./disk-cases.js";
import { httpCases } from "./http-cases.js";
import { kinds } from "./kinds.js";
import { runCase } from "./run-case.js";
import { Subject } from "./subject.js";

for (const kind of kinds.filter(({ ours }) => ours)) {
  describe(`A site with ${kind.name}`, { skip: kind.isDefault ? false : takesLong }, () => {
    let subject: Subject;
    before(async () => {
      subject = await Subject.start(kind);
    });
    after(() => subject.stop());

    for (const one of [...httpCases, ...diskCases]) {
      it(`${one.title} (${one.id})`, { skip: one.skip }, () => runCase(subject, one));
    }
  });
}

describe("The cases bite: koa-send with its defaults", { skip: takesLong }, () => {
  let subject: Subject;
  before(async () => {
    subject = await Subject.start(kinds.find(({ name }) => name === "koa-send")!);
  });
  after(() => subject.stop());

  it("is wrong in most cases of HTTP, but right in those that a static server gets right", async () => {
    const wrong = await wrongOf(subject, httpCases);
    const rows = new Set(wrong.map(({ id }) => id));
    for (const id of WRONG_HTTP) assert.ok(rows.has(id), `${id} does not bite`);
    for (const id of ["H04", "H05", "H08", "H09", "H21", "H50", "H51", "H55"]) assert.ok(!rows.has(id), id);
    assert.ok(wrong.length >= 75, `${wrong.length} cases bite`);
  });

  for (const id of ["K1", "K2", "K3", "K4", "K8", "K9", "K10", "K12", "K13", "K19", "K20"]) {
    it(`is wrong in what ${id} is about`, async () => {
      const cases = diskCases.filter((one) => one.id.split(", ")[0] === id);
      assert.ok(cases.length > 0 && (await wrongOf(subject, cases)).length > 0);
    });
  }
});

const WRONG_HTTP = [
  ...["H01", "H02", "H03", "H06", "H07", "H10", "H13", "H20", "H22", "H23", "H24", "H25", "H26", "H27", "H28"],
  ...["H30", "H32", "H40", "H41", "H42", "H43", "H52", "H54", "H70", "H71", "H73"],
];

async function wrongOf(subject: Subject, cases: readonly Case[]): Promise<Case[]> {
  const wrong: Case[] = [];
  for (const one of cases.filter(({ skip }) => !skip)) {
    await runCase(subject, one).catch((error: unknown) => {
      if (!(error instanceof Deviation)) throw error;
      wrong.push(one);
    });
  }
  return wrong;
}
