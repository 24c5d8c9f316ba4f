import assert from "node:assert/strict";
import type { BeforeQueryEvent } from "typeorm";
import { describeOnEachDatabase } from "../support/databases.js";
import { it } from "../support/suite.js";
import { LetterBox, otherRow } from "./letter-box.js";
import { Letter, reactions } from "./letters.js";

describeOnEachDatabase("A later subscriber that throws", (database) => {
  const box = LetterBox.ofSuite(database);

  it("at once, beside a refusal of the package, ends no process", async () => {
    const stale = await box.load(await box.saved("a"));
    await box.manager.save(await box.attached("b", await box.load(stale)));
    reactions.beforeUpdate = () => {
      throw new Error("The title is missing.");
    };
    await assert.rejects(box.manager.save(Object.assign(stale, { title: "b" })), { message: "The title is missing." });
  });

  it("leaves no permission behind for another statement", async () => {
    const loaded = await box.load(await box.saved("a"));
    const { id } = await box.saved("b");
    const runner = box.dataSource.createQueryRunner();
    reactions.beforeUpdate = () => Promise.reject(new Error("Not today."));
    await assert.rejects(runner.manager.update(Letter, loaded.id, { ...loaded }), { message: "Not today." });
    reactions.beforeUpdate = undefined;
    const update = runner.manager.createQueryBuilder().update(Letter).set({ scan: loaded.scan! }).where({ id });
    await assert.rejects(update.callListeners(false).execute(), otherRow);
    await runner.release();
    assert.deepEqual(await box.rows(), [
      ["a", "a"],
      ["b", "b"],
    ]);
  });

  it("leaves nothing behind of removals that it refused", async () => {
    const letters = [await box.saved("a"), await box.saved("b")];
    const other = await box.saved("c");
    reactions.beforeRemove = () => Promise.reject(new Error("Not today."));
    await assert.rejects(box.manager.remove(letters), { message: "Not today." });
    reactions.beforeRemove = undefined;
    const asked: unknown[][] = [];
    const counter = {
      beforeQuery({ query, parameters }: BeforeQueryEvent) {
        if (/^SELECT .* IN \(/.test(query)) asked.push(Object.values(parameters ?? {}));
      },
    };
    box.dataSource.subscribers.push(counter);
    await box.manager.remove(other);
    box.dataSource.subscribers.splice(box.dataSource.subscribers.indexOf(counter), 1);
    const keys = asked.flat().filter((value) => String(value).startsWith("scans/"));
    assert.equal(new Set(keys).size, 1);
  });
});
