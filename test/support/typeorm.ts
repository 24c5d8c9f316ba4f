import { readFileSync } from "node:fs";

/** The version of TypeORM that is installed. */
export const typeormVersion: string = JSON.parse(
  readFileSync(new URL("package.json", import.meta.resolve("typeorm")), "utf8"),
).version;

const [major] = typeormVersion.split(".").map(Number) as [number];

/** Why tests are skipped of what TypeORM does since 1.0; `false` where it does. */
export const needsTypeOrm1: string | false = major < 1 && "that need TypeORM 1";
