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
import type { ChangeNotes } from "./note-changes.js";

type Told = Promise<void> | undefined;

/**
 * Hears what TypeORM does to the rows of one entity: of `save` and `remove` with their cascades, and of the values that
 * `insert`, `upsert` and `update` write.
 */
export class FileSubscriber implements EntitySubscriberInterface<ObjectLiteral> {
  private readonly columns: PrivateColumn[];
  /** A row that is removed by its primary key alone may be a child's. */
  private readonly rowColumns: PrivateColumn[];

  constructor(
    private readonly entity: EntityMetadata,
    columns: ColumnSet,
    private readonly notes: ChangeNotes,
  ) {
    this.columns = columns.ofEntity(entity);
    this.rowColumns = columns.ofRows(entity);
  }

  listenTo(): EntityMetadata["target"] {
    return this.entity.target;
  }

  beforeInsert({ metadata, entity, queryRunner }: InsertEvent<ObjectLiteral>): Told {
    return this.concerns(metadata) && entity ? this.notes.values(queryRunner, entity, this.columns) : undefined;
  }

  beforeUpdate({ metadata, entity, databaseEntity, queryRunner, updatedColumns }: UpdateEvent<ObjectLiteral>): Told {
    if (!this.concerns(metadata) || !entity) return undefined;
    if (!databaseEntity) return this.notes.values(queryRunner, entity, this.columns);
    const changed = this.columns.filter(({ column }) => updatedColumns.includes(column));
    if (changed.length === 0) return undefined;
    return this.notes.update(queryRunner, entity, changed, metadata.getEntityIdMap(databaseEntity)!);
  }

  beforeRemove({ metadata, entity, entityId, queryRunner }: RemoveEvent<ObjectLiteral>): Told {
    if (!this.concerns(metadata) || !entityId) return undefined;
    return this.notes.removal(queryRunner, entity ?? entityId, this.rowColumns, entityId);
  }

  afterInsert({ metadata, entity, queryRunner }: InsertEvent<ObjectLiteral>): Told {
    return this.concerns(metadata) && entity ? this.written(queryRunner, entity) : undefined;
  }

  afterUpdate({ metadata, entity, queryRunner }: UpdateEvent<ObjectLiteral>): Told {
    return this.concerns(metadata) && entity ? this.written(queryRunner, entity) : undefined;
  }

  afterRemove({ metadata, entity, entityId, queryRunner }: RemoveEvent<ObjectLiteral>): Told {
    return this.concerns(metadata) && entityId ? this.notes.done(queryRunner, entity ?? entityId) : undefined;
  }

  private written(runner: QueryRunner, entity: ObjectLiteral): Told {
    this.notes.late(runner, entity, this.columns);
    return this.notes.done(runner, entity);
  }

  /** TypeORM tells a parent's subscriber of its children, too; they have subscribers of their own. */
  private concerns(metadata: EntityMetadata): boolean {
    return metadata === this.entity;
  }
}
