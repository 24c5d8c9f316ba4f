import type { DataSource } from "typeorm";

/**
 * Does something each time that a data source is initialized, once its entities are known and before its migrations run, for which
 * TypeORM has no event: its driver's `afterConnect` is called at that moment. An error makes `initialize()` fail, and TypeORM closes the data
 * source.
 */
export function onInitialize({ driver }: DataSource, react: () => unknown): void {
  const afterConnect = driver.afterConnect.bind(driver);
  driver.afterConnect = async () => {
    await afterConnect();
    react();
  };
}
