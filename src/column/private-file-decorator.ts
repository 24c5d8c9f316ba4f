import { ConfigurationError } from "../errors.js";
import type { PrivateFile } from "./private-file.js";

/**
 * What `PrivateFileColumn` returns: a decorator for a property of type {@link PrivateFile}. With `E` the property must be in that class,
 * in a class that extends it, or in an entity that is embedded in it; other properties do not compile. The type of a private or protected
 * property is not checked.
 */
export type PrivateFileDecorator<E> = <T, K extends PropertyKey>(
  target: CheckedClass<T, E>,
  property: CheckedProperty<T, K>,
) => void;

/** `T` is `Object` where the decorator is taken for a `PropertyDecorator`, as by functions that combine decorators. */
type CheckedClass<T, E> = T extends undefined
  ? "experimentalDecorators: true in tsconfig.json"
  : keyof T extends keyof typeof Object.prototype
    ? T
    : T extends E
      ? T
      : [EmbeddedAs<T, E>] extends [never]
        ? E
        : T;

/** The properties of `E` that hold a `T`; one of type `any` could hold all. */
type EmbeddedAs<T, E> = {
  [K in keyof E]-?: unknown extends E[K] ? never : NonNullable<E[K]> extends T ? K : never;
}[keyof E];

/** The compiler puts the texts into its message: `Argument of type '"scan"' is not assignable to parameter of type '"…"'`. */
type CheckedProperty<T, K> = K extends keyof T
  ? NonNullable<T[K]> extends PrivateFile
    ? K
    : "a property of type PrivateFile"
  : K;

/** The property that a decorator stands on. */
interface DecoratedProperty {
  /** The prototype of the class. */
  target: object;
  /** The name of the property. */
  property: string | symbol;
  /** Names the property in messages, e.g. `FileSubmission.uploadedFile`. */
  subject: string;
}

/**
 * Reads what a decorator is called with.
 *
 * @throws ConfigurationError when it is called as a standard decorator, or stands on anything but a property of an entity.
 */
export function decoratedProperty([target, property, descriptor]: unknown[]): DecoratedProperty {
  if (isStandard(property)) throw standard(property.name);
  const isStatic = typeof target === "function";
  const owner = isStatic ? target : (target as object).constructor;
  const subject = property === undefined ? owner.name : `${owner.name}.${String(property)}`;
  if (property === undefined || typeof descriptor === "number") throw misplaced(subject, "a class or a parameter");
  if (isStatic) throw misplaced(subject, "a static property");
  if (typeof (descriptor as PropertyDescriptor | undefined)?.value === "function") throw misplaced(subject, "a method");
  return { target: target as object, property: property as string | symbol, subject };
}

/** What a standard (TC39) decorator gets as its second argument. */
function isStandard(context: unknown): context is { kind: string; name?: string | symbol } {
  return typeof context === "object" && context !== null && "kind" in context;
}

function standard(name: string | symbol | undefined): ConfigurationError {
  return new ConfigurationError(
    `${String(name)}: @PrivateFileColumn was called as a standard decorator. Set "experimentalDecorators": true in tsconfig.json, as TypeORM's own decorators need it, too.`,
  );
}

function misplaced(subject: string, place: string): ConfigurationError {
  return new ConfigurationError(
    `${subject}: @PrivateFileColumn is on ${place}. Put it on a property of the class that has the type PrivateFile.`,
  );
}
