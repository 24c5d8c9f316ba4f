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
  private readonly primary: EntityLoader;

  constructor(
    private readonly dataSource: DataSource,
    private readonly locator: Locator,
    private readonly responder: Responder,
  ) {
    this.loader = new EntityLoader(dataSource);
    this.primary = new EntityLoader(dataSource, "master");
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
    const load = (again: boolean) => this.load(location, ctx, again);
    await this.responder.respond({ ctx, column, load, name, authorized: false, presentation: column.options });
  }

  /** Replicas are behind: only the primary server can tell that a file is not there. */
  private async load(location: Location, ctx: Context, again: boolean): Promise<ObjectLiteral | undefined> {
    if (!this.dataSource.driver.isReplicated) return this.loadWith(this.loader, location, ctx);
    const entity = again ? undefined : await this.loadWith(this.loader, location, ctx);
    const hasFile = entity && location.column.fileOf(entity)?.name === location.name;
    return hasFile ? entity : this.loadWith(this.primary, location, ctx);
  }

  private async loadWith(loader: EntityLoader, location: Location, ctx: Context): Promise<ObjectLiteral | undefined> {
    const entity = await loader.load(location, ctx);
    return entity && this.isRequested(location, entity) ? entity : undefined;
  }

  /** Collations find a row by a key of other case or with other spaces; its URL is still another one. */
  private isRequested({ column, primaryKey }: Location, entity: ObjectLiteral): boolean {
    return this.locator.primaryKeyOf(column, entity).every((value, index) => value === primaryKey[index]);
  }
}
