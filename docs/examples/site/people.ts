import type { DataSource } from "typeorm";
import { User } from "./models/user.js";

/** Creates the tables, and on the first start three people to sign in as. */
export async function prepareDatabase(dataSource: DataSource): Promise<void> {
  await dataSource.synchronize();
  const people = dataSource.getRepository(User);
  if (await people.exists()) return;
  await people.save([{ name: "Alice" }, { name: "Bob" }, { name: "Carol" }]);
}

/** Everyone who can sign in. */
export function everyone(dataSource: DataSource): Promise<User[]> {
  return dataSource.getRepository(User).find({ order: { id: "ASC" } });
}
