import type { EntityManager, EntityMetadata } from "typeorm";
import type { Cascade, FileCascades } from "./cascades.js";
import { inACircle, stillThere } from "./removal-errors.js";
import { assertExact, cascadedRows, hasRows, loadRows, PAGE, type Row } from "./row-queries.js";

/** Removes rows in one transaction, after those rows with files that the database would delete with them. */
export class RowRemoval {
  /** How many rows of the entity were removed. */
  count = 0;

  constructor(
    private readonly manager: EntityManager,
    private readonly entity: EntityMetadata,
    private readonly cascades: FileCascades,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /**
   * Removes a page of rows of an entity.
   *
   * @returns those that were not found, if any: others have removed them meanwhile, or the driver reads their primary keys inexactly.
   * @throws PrivateFileError with `ERR_PRIVATE_FILE_NOT_REMOVED` for rows that can't be removed.
   */
  async remove(entity: EntityMetadata, rows: Row[]): Promise<Row[]> {
    await assertExact(this.manager, entity, rows);
    for (const cascade of this.cascades.from(entity)) await this.#removeCascaded(cascade, entity, rows);
    const found = await loadRows(this.manager, entity, rows);
    const counted = found.filter((one) => this.#isCounted(entity, one)).length;
    if (found.length > 0) await this.manager.remove(entity.target, found);
    if (await hasRows(this.manager, entity, rows)) throw stillThere(entity);
    this.count += counted;
    return found.length < rows.length ? rows : [];
  }

  async #removeCascaded(cascade: Cascade, parent: EntityMetadata, rows: Row[]): Promise<void> {
    for (let missed: Row[] = []; ; ) {
      this.signal?.throwIfAborted();
      const page = await cascadedRows(this.manager, cascade, parent, rows);
      if (page.length === 0) return;
      if (page.some(isItsOwnAncestor)) throw inACircle(cascade.entity);
      assertOthers(cascade.entity, page, missed);
      missed = await this.remove(cascade.entity, page);
      if (isLast(page, missed)) return;
    }
  }

  /** Rows of a tree are removed with those above them. */
  #isCounted({ tablePath }: EntityMetadata, found: object): boolean {
    const { target } = this.entity;
    return tablePath === this.entity.tablePath && (typeof target !== "function" || found instanceof target);
  }
}

/** Whether no further page is needed after one. */
export function isLast(page: Row[], missed: Row[]): boolean {
  return page.length < PAGE && missed.length === 0;
}

/**
 * Makes sure that a removal comes to an end.
 *
 * @throws PrivateFileError with `ERR_PRIVATE_FILE_NOT_REMOVED` where a page has rows of the one before that were not found there.
 */
export function assertOthers(entity: EntityMetadata, page: Row[], missed: Row[]): void {
  const texts = new Set(missed.map(({ text }) => text));
  if (page.some(({ text }) => texts.has(text))) throw stillThere(entity);
}

function isItsOwnAncestor({ text, parent }: Row): boolean {
  for (let row = parent; row; row = row.parent) if (row.text === text) return true;
  return false;
}
