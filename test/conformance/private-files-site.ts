import { randomUUID } from "node:crypto";
import type { Context } from "koa";
import { DataSource, Entity, PrimaryColumn } from "typeorm";
import { type Delivery, DiskStorage, PrivateFile, PrivateFileColumn, PrivateFiles } from "typeorm-private-files";
import { adoptedFile } from "../support/adopted-file.js";
import { RULE_FAILURE, type Site, type SiteFolders } from "./site.js";

/** The package itself, with a delivery. */
export async function privateFilesSite({ root, large }: SiteFolders, delivery: Delivery): Promise<Site> {
  const storage = new DiskStorage(root);
  const Document = documentsWith(new DiskStorage(large));
  const dataSource = new DataSource({ type: "sqljs", entities: [Document], synchronize: true });
  await dataSource.initialize();
  const files = new PrivateFiles(dataSource, { storage, delivery });
  return {
    middleware: [files.routes()],
    async register({ key, large: isLarge }) {
      const fileOf = (property: string) => adoptedFile(dataSource, Document, property, key);
      const property = isLarge ? "large" : "file";
      const properties = { [property]: fileOf(property), shown: fileOf("shown") };
      const document = dataSource.manager.create(Document, { id: randomUUID(), ...properties });
      await dataSource.manager.save(document);
      const url = files.url(document, property);
      return { url, shownUrl: files.url(document, "shown"), base: url.slice(0, url.lastIndexOf("/")) };
    },
    serveWithoutRoot: () => new PrivateFiles(dataSource, { storage: new DiskStorage("") }).routes(),
  };
}

function documentsWith(large: DiskStorage) {
  @Entity()
  class Document {
    @PrimaryColumn({ length: 36 }) id!: string;
    @PrivateFileColumn({ condition: rule, nullable: true, length: 1024 }) file!: PrivateFile | null;
    @PrivateFileColumn({ condition: rule, nullable: true, length: 1024, attachment: false }) shown!: PrivateFile | null;
    @PrivateFileColumn({ condition: rule, nullable: true, storage: large }) large!: PrivateFile | null;
  }
  return Document;
}

function rule(ctx: Context): boolean {
  if (ctx.get("X-Rule") === "fail") throw new Error(RULE_FAILURE);
  return ctx.get("X-Rule") !== "deny";
}
