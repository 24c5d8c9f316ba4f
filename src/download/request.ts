import type { Context } from "koa";
import type { DataSource, ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../column/private-column.js";
import type { PrivateFile } from "../column/private-file.js";
import type { DownloadEvent } from "./events.js";
import type { Location } from "./locate.js";

/** A request whose URL names a column. */
export interface Located {
  /** The request. */
  ctx: Context;
  /** The column. */
  column: PrivateColumn;
  /** All that the URL names. */
  location: Location;
}

/** A request for a file that an entity has. */
export interface Loaded extends Located {
  /** The entity. */
  entity: ObjectLiteral;
  /** The file. */
  file: PrivateFile;
}

/** What every event of a request says. */
export function eventOf(dataSource: DataSource, { ctx, column }: Located): DownloadEvent {
  const { manager } = dataSource;
  return { dataSource, manager, metadata: column.entity, propertyName: column.propertyPath, ctx };
}
