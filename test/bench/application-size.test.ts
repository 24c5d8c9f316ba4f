import assert from "node:assert/strict";
import { it } from "node:test";
import { PrivateFiles } from "typeorm-private-files";
import { describeOnEachDatabase, postgres, sqljs } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { otherEntities } from "./other-entities.js";

// As in the application: TypeORM has entities in the order of their declarations.
const unasked = otherEntities(3);
const { Document, insertOthers } = await import("./document.js");

describeOnEachDatabase(
  "The measured application",
  ({ open }) => {
    it("can have any number of rows and of columns that nobody asks for", async (t) => {
      const { dataSource, close } = await open({ entities: [...unasked, Document] });
      t.after(close);
      await insertOthers(dataSource, 250);
      assert.equal(await dataSource.manager.countBy(Document, { owner: "alice" }), 250);
      // It fails for columns that share a URL.
      new PrivateFiles(dataSource, { storage: new MemoryStorage() }).routes();
      assert.deepEqual(
        dataSource.entityMetadatas.map(({ name }) => name),
        ["Other1", "Other2", "Other3", "Document"],
      );
    });
  },
  [sqljs, postgres],
);
