import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";

/** Makes entities with a private column each, which are never requested. */
export function otherEntities(count: number): (new () => object)[] {
  return Array.from({ length: count }, (_, index) => otherEntity(index + 1));
}

function otherEntity(number: number): new () => object {
  const name = `Other${number}`;
  @Entity(name)
  class Other {
    @PrimaryGeneratedColumn() id!: number;
    @PrivateFileColumn<Other>({ uploadTo: "others", condition: () => false }) file!: PrivateFile;
  }
  // TypeORM calls an entity as its class is called.
  Object.defineProperty(Other, "name", { value: name });
  return Other;
}
