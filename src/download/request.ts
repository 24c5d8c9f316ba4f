import type { Context } from "koa";
import type { DataSource, ObjectLiteral } from "typeorm";
import type { PrivateFileColumnOptions } from "../column/column-options.js";
import type { PrivateColumn } from "../column/private-column.js";
import type { PrivateFile } from "../column/private-file.js";
import type { DownloadEvent } from "../hooks/events.js";
import { quoted } from "../quoted.js";

/** How an answer presents its file: the column's own options, or others for this answer alone. */
export type Presentation = Pick<PrivateFileColumnOptions, "attachment" | "filename" | "cacheControl">;

/** A request for the file of a column: by a URL of the package, or from a route of the application. */
export interface DownloadRequest {
  /** The request. */
  ctx: Context;
  /** The column. */
  column: PrivateColumn;
  /**
   * The entity, or `undefined` where there is none that the request may see.
   *
   * @param again that the file of the last one is gone.
   */
  load(again: boolean): Promise<ObjectLiteral | undefined>;
  /** The file's name according to the URL. Absent where the URL is the application's, and may say anything. */
  name?: string;
  /** Whether the application has let the request through, in place of the column's rule. */
  authorized: boolean;
  /** How the answer presents the file. */
  presentation: Presentation;
}

/** A request for a file that an entity has. */
export interface Loaded extends DownloadRequest {
  /** The entity. */
  entity: ObjectLiteral;
  /** The file. */
  file: PrivateFile;
}

/** What every event of a request says. */
export function eventOf(dataSource: DataSource, { ctx, column }: DownloadRequest): DownloadEvent {
  const { manager } = dataSource;
  return { dataSource, manager, metadata: column.entity, propertyName: column.propertyPath, ctx };
}

/** Names the row of an entity in a message: by its primary key, where it has one. A view may have none. */
export function rowOf(column: PrivateColumn, entity: ObjectLiteral): string {
  const values: unknown[] = column.entity.primaryColumns.map((key) => key.getEntityValue(entity));
  const isKnown = values.length > 0 && values.every((value) => value !== undefined && value !== null);
  return isKnown ? `the row ${values.map((value) => quoted(String(value))).join(", ")}` : "the row";
}
