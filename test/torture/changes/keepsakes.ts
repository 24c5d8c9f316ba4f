import { Keepsake, Shipment } from "../shipment.js";
import { fill, type Kind, type Site } from "./change.js";
import { outcomeOf } from "./refusals.js";

/** The row of this writer alone, of which it tells what is committed before it may be killed. */
export const KEEPSAKES: Kind[] = [
  {
    name: "save of a row of this writer alone",
    isUnshared: true,
    weight: 3,
    isAlone: true,
    async prepare(site) {
      const keepsake = await site.manager.findOneByOrFail(Keepsake, { owner: site.owner });
      const before = Object.assign(new Keepsake(), keepsake);
      await fill(site, keepsake, "letter");
      return async (manager) => {
        const news = { owner: site.owner, seal: keepsake.letterSeal! };
        await site.tell({ ...news, is: "begun" });
        await manager.save(keepsake);
        await site.tell({ ...news, is: "committed" });
        const isLeft = await site.files.stat(before, "letter");
        site.note("file that such a row had before", isLeft ? "left" : "deleted");
      };
    },
  },
  {
    name: "adopt of a file that a row has",
    weight: 1,
    expects: "ERR_PRIVATE_FILE_OTHER_ROW",
    isAlone: true,
    async prepare(site) {
      const keepsake = await site.manager.findOneByOrFail(Keepsake, { owner: site.owner });
      const heir = site.manager.create(Shipment, {});
      return () => site.files.adopt(heir, "letter", keepsake.letter!.key);
    },
  },
];

/** Saves a writer's own row for the first time, again if its connection is killed. */
export async function newKeepsake(site: Omit<Site, "note">): Promise<void> {
  const { owner, manager } = site;
  try {
    if (await manager.existsBy(Keepsake, { owner })) return;
    const keepsake = manager.create(Keepsake, { owner });
    await fill(site, keepsake, "letter");
    await manager.save(keepsake);
  } catch (error) {
    if (outcomeOf(error) === undefined) throw error;
    await newKeepsake(site);
  }
}
