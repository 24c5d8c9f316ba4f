import "reflect-metadata";
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
