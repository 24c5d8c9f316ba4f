import type { DataSource, EntityTarget, ObjectLiteral } from "typeorm";
import type { PrivateFile } from "typeorm-private-files";
import { ColumnSet } from "../../src/column/column-metadata.js";
import { uploadedFile } from "../../src/lifecycle/uploads.js";

/** A value that may be saved and names any key, whether the storage has it or not: a row that somebody else wrote. */
export function adoptedFile(
  dataSource: DataSource,
  entity: EntityTarget<ObjectLiteral>,
  property: string,
  key: string,
): PrivateFile {
  const metadata = dataSource.getMetadata(entity);
  const column = [...ColumnSet.of(dataSource)].find((one) => one.entity === metadata && one.propertyPath === property);
  // A data source without PrivateFiles would refuse it.
  column!.follow();
  return uploadedFile(key, column!.uploadTarget(undefined as never), true);
}
