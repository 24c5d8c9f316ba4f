import type { DataSource, ObjectLiteral, SelectQueryBuilder } from "typeorm";
import type { ColumnMetadata } from "../column/private-column.js";

/** The alias of the entity whose key is asked for. */
export const ENTITY = "entity";

/**
 * A SELECT of one entity by its primary key, whose text is made once. It is run as often as one likes, each time with another
 * key, which is a parameter and never part of the text. What comes back is made by TypeORM: transformers, embedded and inherited
 * columns, relations, `@RelationId`, `@AfterLoad` and subscribers are its own.
 */
export class KeyQuery {
  private readonly keys: Key[];
  private readonly sql: string;
  private readonly parameters: unknown[];

  /** @param query selects `ENTITY`, by everything but its key. It belongs to this from now on. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly query: SelectQueryBuilder<ObjectLiteral>,
    primaryColumns: ColumnMetadata[],
  ) {
    this.keys = primaryColumns.map((column, index) => ({ column, placeholder: { key: index } }));
    for (const [index, { column, placeholder }] of this.keys.entries()) {
      query.andWhere(`${ENTITY}.${column.propertyPath} = :key${index}`, { [`key${index}`]: placeholder });
    }
    [this.sql, this.parameters] = query.getQueryAndParameters() as [string, unknown[]];
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
    const keys = this.keys.map(({ column }, index) =>
      this.dataSource.driver.preparePersistentValue(values[index], column),
    );
    return this.parameters.map((parameter) => {
      const index = this.keys.findIndex(({ placeholder }) => placeholder === parameter);
      return index < 0 ? parameter : keys[index];
    });
  }
}

/** The query as it is run once. */
type Run = { -readonly [K in keyof SelectQueryBuilder<ObjectLiteral>]: SelectQueryBuilder<ObjectLiteral>[K] };

interface Key {
  column: ColumnMetadata;
  /** Stands for the value among the parameters: an object, so that no value is the same. */
  placeholder: object;
}
