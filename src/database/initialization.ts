import type { DataSource } from "typeorm";

/**
 * Does something each time that a data source has been initialized, for which TypeORM has no event. When that throws, the data
 * source is closed, as TypeORM does it when an entity is declared wrongly.
 */
export function onInitialize(dataSource: DataSource, react: () => unknown): void {
  const initialize = dataSource.initialize.bind(dataSource);
  dataSource.initialize = async () => {
    await initialize();
    try {
      react();
    } catch (error) {
      await dataSource.destroy();
      throw error;
    }
    return dataSource;
  };
}
