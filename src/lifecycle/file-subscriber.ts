import type {
  EntityMetadata,
  EntitySubscriberInterface,
  InsertEvent,
  ObjectLiteral,
  QueryRunner,
  RemoveEvent,
  UpdateEvent,
} from "typeorm";
import type { ColumnSet } from "../column/column-metadata.js";
import type { PrivateColumn } from "../column/private-column.js";
import type { FileChanges } from "./file-changes.js";
import type { Ledger } from "./ledger/ledger.js";
import { observed } from "./observed.js";
import { assertNonePending } from "./pending-uploads.js";
import type { Transactions } from "./transaction-subscriber.js";

type Pending = Promise<void> | undefined;

/**
 * Follows what TypeORM does to the rows of one entity: `save` and `remove` with their cascades, and the values that `insert`,
 * `upsert` and `update` write.
 */
export class FileSubscriber implements EntitySubscriberInterface<ObjectLiteral> {
  private readonly columns: PrivateColumn[];
  /** A row that is removed by its primary key alone may be a child's. */
  private readonly rowColumns: PrivateColumn[];

  constructor(
    private readonly entity: EntityMetadata,
    columns: ColumnSet,
    private readonly changes: FileChanges,
    private readonly transactions: Transactions,
  ) {
    this.columns = columns.ofEntity(entity);
    this.rowColumns = columns.ofRows(entity);
  }

  listenTo(): EntityMetadata["target"] {
    return this.entity.target;
  }

  beforeInsert({ metadata, entity, queryRunner }: InsertEvent<ObjectLiteral>): void {
    if (!this.concerns(metadata) || !entity) return;
    assertNonePending(entity);
    this.changes.claims.inserting(this.ledgerOf(queryRunner), entity, this.columns);
  }

  beforeUpdate({ metadata, entity, databaseEntity, queryRunner }: UpdateEvent<ObjectLiteral>): Pending {
    if (!this.concerns(metadata) || !entity) return undefined;
    assertNonePending(entity);
    const ledger = this.ledgerOf(queryRunner);
    if (!databaseEntity) return observed(this.changes.claims.updatingSome(ledger, entity, this.columns));
    const changed = this.columns.filter((column) => isChanged(column, entity, databaseEntity));
    const id = metadata.getEntityIdMap(databaseEntity);
    if (changed.length === 0 || !id) return undefined;
    return observed(this.changes.updating(ledger, entity, changed, id));
  }

  beforeRemove(event: RemoveEvent<ObjectLiteral>): Pending {
    const id = this.concerns(event.metadata) ? idOf(event) : undefined;
    if (!id) return undefined;
    return observed(this.changes.removing(this.ledgerOf(event.queryRunner), this.rowColumns, id));
  }

  afterInsert({ metadata, entity, queryRunner }: InsertEvent<ObjectLiteral>): Pending {
    if (!this.concerns(metadata) || !entity) return undefined;
    this.changes.written(this.ledgerOf(queryRunner), entity, this.columns);
    return this.transactions.afterStatement(queryRunner);
  }

  afterUpdate({ metadata, entity, databaseEntity, queryRunner }: UpdateEvent<ObjectLiteral>): Pending {
    this.ledgerOf(queryRunner).refusal.throwIfKept();
    if (!this.concerns(metadata) || !entity) return undefined;
    this.changes.written(this.ledgerOf(queryRunner), entity, this.columns, databaseEntity);
    return this.transactions.afterStatement(queryRunner);
  }

  afterRemove(event: RemoveEvent<ObjectLiteral>): Pending {
    const id = this.concerns(event.metadata) ? idOf(event) : undefined;
    if (!id) return undefined;
    this.changes.removed(this.ledgerOf(event.queryRunner), this.rowColumns, id);
    return this.transactions.afterStatement(event.queryRunner);
  }

  private ledgerOf(runner: QueryRunner): Ledger {
    return this.transactions.ledgerOf(runner);
  }

  /** TypeORM tells a parent's subscriber of its children, too; they have subscribers of their own. */
  private concerns(metadata: EntityMetadata): boolean {
    return metadata === this.entity;
  }
}

function isChanged(column: PrivateColumn, entity: ObjectLiteral, databaseEntity: ObjectLiteral): boolean {
  const isGiven = column.column.getEntityValue(entity) !== undefined;
  return isGiven && column.recordOf(entity)?.key !== column.recordOf(databaseEntity)?.key;
}

/** TypeORM unsets the primary key of the entity once its row is removed, and gives a single primary key as it is. */
function idOf({ metadata, databaseEntity, entity, entityId }: RemoveEvent<ObjectLiteral>): ObjectLiteral | undefined {
  const id = metadata.getEntityIdMap(databaseEntity ?? entity);
  return id ?? (entityId === undefined || entityId === null ? undefined : metadata.ensureEntityIdMap(entityId));
}
