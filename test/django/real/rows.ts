import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ObjectLiteral } from "typeorm";
import { CountedDownload, FileSubmission } from "../../../docs/examples/django/models.js";
import type { DjangoRow } from "./django.js";
import { Attachment, Profile } from "./models.js";
import type { RealSite } from "./real-site.js";

const CLASSES = { FileSubmission, CountedDownload, Attachment, Profile };
const PROPERTIES = {
  FileSubmission: "uploadedFile",
  CountedDownload: "downloadable",
  Attachment: "file",
  Profile: "avatar",
} as const;

/** The rows that TypeORM knows, of some kinds. */
export function rowsOf({ rows }: Pick<RealSite, "rows">, ...kinds: string[]): DjangoRow[] {
  return rows.filter(({ model, kind }) => model in CLASSES && kinds.includes(kind));
}

/** The first row of a kind. */
export function rowOf(site: Pick<RealSite, "rows">, kind: string): DjangoRow {
  return rowsOf(site, kind)[0] ?? assert.fail(`Django made no row of the kind "${kind}"`);
}

/** TypeORM's entity of a row, with its owner, and the property that holds the file. */
export async function entityOf(
  { dataSource }: RealSite,
  { model, id }: Pick<DjangoRow, "model" | "id">,
): Promise<[entity: ObjectLiteral & { [property: string]: never }, property: never]> {
  assert.ok(model !== "Archived");
  const options = { where: { id }, relations: model === "FileSubmission" ? { owner: true } : {} };
  const entity = await dataSource.manager.findOneOrFail<ObjectLiteral>(CLASSES[model], options);
  return [entity as never, PROPERTIES[model] as never];
}

/** The address of a row's file. */
export async function urlOf(site: RealSite, row: Pick<DjangoRow, "model" | "id">): Promise<string> {
  return site.files.url(...(await entityOf(site, row)));
}

/** Makes sure that each row's file goes to its owner as Django reads it, and is refused to everybody else. */
export async function assertServed(site: RealSite, rows: DjangoRow[]): Promise<void> {
  for (const row of rows) {
    const url = await urlOf(site, row);
    const answer = await site.get(url, { as: row.owner ?? "bob" });
    const about = `${row.model} ${row.id}, ${JSON.stringify(row.value)}`;
    assert.equal(answer.status, 200, about);
    assert.deepEqual([answer.body.length, hash("sha256", answer.body)], [row.size, row.sha256], about);
    for (const as of row.owner ? [row.owner === "alice" ? "bob" : "alice", undefined] : [undefined]) {
      const refused = await site.get(url, { as });
      assert.deepEqual([refused.status, refused.body.toString()], [403, "Forbidden"], about);
    }
  }
}

/** Whether the file of a row is in MEDIA_ROOT, under exactly the row's value. */
export function isThere({ mediaRoot }: RealSite, { value }: DjangoRow): boolean {
  return existsSync(value!.startsWith("/") ? value! : join(mediaRoot, value!));
}
