import "reflect-metadata";
import { getMetadataArgsStorage } from "typeorm";
import type { PrivateFileColumnOptions } from "../column-options.js";

const DECLARED = Symbol.for("typeorm-private-files:column");

/** Keeps the options of a column as metadata of the class' property. */
export function declare(target: object, property: string | symbol, options: PrivateFileColumnOptions): void {
  Reflect.defineMetadata(DECLARED, options, target, property);
}

/** Whether this very class, not one that it extends, declares the property. */
export function isDeclaredBy(target: object, property: string | symbol): boolean {
  return Reflect.hasOwnMetadata(DECLARED, target, property);
}

/** The options that a class declares a property with, or inherits. */
export function declaredOptions(type: { prototype: object }, property: string): PrivateFileColumnOptions | undefined {
  return Reflect.getMetadata(DECLARED, type.prototype, property);
}

/** Whether decorators make more than one column of a property of a class, or of one that it extends. */
export function isColumnTwice(type: object, property: string): boolean {
  const { columns } = getMetadataArgsStorage();
  for (let one: unknown = type; typeof one === "function"; one = Object.getPrototypeOf(one)) {
    const own = columns.filter(({ target, propertyName }) => target === one && propertyName === property);
    if (own.length > 1) return true;
  }
  return false;
}
