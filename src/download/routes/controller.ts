import type { Context } from "koa";
import type { DataSource, ObjectLiteral } from "typeorm";
import { notFound } from "../download-errors.js";
import { EntityLoader } from "../load.js";
import type { Responder } from "../respond.js";
import type { Location, Locator } from "./locate.js";
import { assertReading } from "./method.js";

/** Answers requests by URLs of the package: locates the column and the row, and leaves the rest to the responder. */
export class DownloadController {
  private readonly loader: EntityLoader;

  constructor(
    dataSource: DataSource,
    private readonly locator: Locator,
    private readonly responder: Responder,
  ) {
    this.loader = new EntityLoader(dataSource);
  }

  /**
   * Answers one request.
   *
   * @param path what the URL says behind the prefix of the routes, not decoded.
   * @throws DownloadError for a request that is refused or fails.
   */
  async handle(ctx: Context, path: string): Promise<void> {
    assertReading(ctx);
    const location = this.locator.locate(path);
    if (!location) throw notFound();
    const { column, name } = location;
    const load = () => this.load(location, ctx);
    await this.responder.respond({ ctx, column, load, name, authorized: false, presentation: column.options });
  }

  private async load(location: Location, ctx: Context): Promise<ObjectLiteral | undefined> {
    const entity = await this.loader.load(location, ctx);
    return entity && this.isRequested(location, entity) ? entity : undefined;
  }

  /** Collations find a row by a key of other case or with other spaces; its URL is still another one. */
  private isRequested({ column, primaryKey }: Location, entity: ObjectLiteral): boolean {
    return this.locator.primaryKeyOf(column, entity).every((value, index) => value === primaryKey[index]);
  }
}
