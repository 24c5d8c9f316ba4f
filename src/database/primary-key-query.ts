import type { DataSource, ObjectLiteral, SelectQueryBuilder } from "typeorm";
import type { ColumnMetadata } from "../column/private-column.js";

/** The alias of the entity whose key is asked for. */
export const ENTITY = "entity";

/**
 * A SELECT of one entity by its primary key, whose text is made once. It is run as often as one likes, each time with another
 * key, which is a parameter and never part of the text. What comes back is made by TypeORM: transformers, embedded and inherited
 * columns, relations, `@RelationId`, `@AfterLoad` and subscribers are its own.
 */
export class PrimaryKeyQuery {
  private readonly sql: string;
  private readonly parameters: readonly unknown[];

  /** @param query selects `ENTITY`, by everything but its key. It belongs to this from now on. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly query: SelectQueryBuilder<ObjectLiteral>,
    primaryColumns: ColumnMetadata[],
  ) {
    const keys = primaryColumns.map((column, index) => new Key(column, index));
    for (const key of keys) {
      query.andWhere(`${ENTITY}.${key.column.propertyPath} = :key${key.index}`, { [`key${key.index}`]: key });
    }
    const [sql, parameters] = query.getQueryAndParameters();
    this.sql = sql;
    this.parameters = parameters;
  }

  /** @throws what TypeORM and the driver throw. */
  async entityWithKey(values: string[]): Promise<ObjectLiteral | null> {
    const parameters = this.parametersFor(values);
    const query: Run = Object.create(this.query);
    // TypeORM runs what this returns, and leaves notes of its own in the expression map.
    query.getQueryAndParameters = () => [this.sql, parameters];
    query.expressionMap = Object.create(this.query.expressionMap);
    query.expressionMap.relationIdAttributes = [];
    return query.getOne();
  }

  private parametersFor(values: string[]): unknown[] {
    const { driver } = this.dataSource;
    return this.parameters.map((parameter) =>
      parameter instanceof Key ? driver.preparePersistentValue(values[parameter.index], parameter.column) : parameter,
    );
  }
}

/** The query as it is run once. */
type Run = { -readonly [K in keyof SelectQueryBuilder<ObjectLiteral>]: SelectQueryBuilder<ObjectLiteral>[K] };

/** Stands among the parameters for a value of the primary key: no other value is one. */
class Key {
  constructor(
    readonly column: ColumnMetadata,
    readonly index: number,
  ) {}
}
