import assert from "node:assert/strict";
import { takesLong } from "../support/requirements.js";
import { after, before, describe, it } from "../support/suite.js";
import { type Case, Deviation } from "./case.js";
import { groupsOf } from "./comparison.js";
import { diskCases } from "./disk-cases.js";
import { httpCases } from "./http-cases.js";
import { kinds } from "./kinds.js";
import { runCase } from "./run-case.js";
import { Subject } from "./subject.js";
import type { Topic } from "./topics.js";

const RIGHT_HTTP: Topic[] = [
  "a Range that breaks the grammar",
  "a Range in another unit",
  "two Range headers",
  "a range of an empty file",
  "If-Modified-Since that does not hold",
  "conditions on a missing file",
  "HEAD",
  "HEAD with Range",
  "HTTP/1.0",
];

const WRONG_ON_DISK: Topic[] = [
  "a sibling `.gz`, `.br`, `.html`",
  "a key that decodes to another",
  "keys with `%`",
  "the text of 404",
  "a link to a device",
  "a link into `/proc`",
  "links that lead outside",
  "a file that grows while it is sent",
  "a file that shrinks while it is sent",
  "no root",
  "names that begin with a dot",
];

for (const kind of kinds.filter(({ ours }) => ours)) {
  describe(`A site with ${kind.name}`, { skip: kind.isDefault ? false : takesLong }, () => {
    let subject: Subject;
    before(async () => {
      subject = await Subject.start(kind);
    });
    after(() => subject.stop());

    for (const { topic, cases } of groupsOf([...httpCases, ...diskCases])) {
      describe(topic, () => {
        for (const one of cases) it(one.title, { skip: one.skip }, () => runCase(subject, one));
      });
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
    const wrongTopics = new Set(wrong.map(({ topic }) => topic));
    const asked = new Set(httpCases.filter(({ skip }) => !skip).map(({ topic }) => topic));
    assert.deepEqual(
      [...asked].filter((topic) => !wrongTopics.has(topic)),
      RIGHT_HTTP,
    );
    assert.ok(wrong.length >= 75, `${wrong.length} cases bite`);
  });

  for (const topic of WRONG_ON_DISK) {
    it(`is wrong about ${topic}`, async () => {
      const cases = diskCases.filter((one) => one.topic === topic);
      assert.ok(cases.length > 0 && (await wrongOf(subject, cases)).length > 0);
    });
  }
});

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
