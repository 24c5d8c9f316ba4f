import type { Context, ExtendableContext } from "koa";
import { Column, type EntitySchemaColumnOptions, type ObjectLiteral } from "typeorm";
import { ConfigurationError } from "../errors.js";
import type { PrivateFileColumnOptions } from "./column-options.js";
import { checkColumnOptions, databaseOptions } from "./declaration/column-rules.js";
import { declare, isDeclaredBy } from "./declaration/declaration.js";
import { decoratedProperty, type PrivateFileDecorator } from "./private-file-decorator.js";
import { PrivateFileTransformer } from "./private-file-transformer.js";

/**
 * Declares a property as a private file: the database column is a `varchar` that keeps the key of the file, the property
 * is a {@link PrivateFile}. With the same options as a `@Column` it declares the same database column.
 *
 * @example
 * @PrivateFileColumn<FileSubmission>({
 *   uploadTo: "uploads/%Y",
 *   condition: (ctx, submission) => ctx.state.user != null && submission.owner?.id === ctx.state.user.id,
 *   relations: { owner: true },
 * })
 * uploadedFile!: PrivateFile;
 *
 * @typeParam E The entity; for a property of an embedded entity, the one that has it. The compiler refuses the decorator on a property of
 * another class.
 * @typeParam C The context of the Koa application, for `condition` and `where`. (default: Koa's `Context`)
 * @param options Where files go, who may read them, and how they are sent.
 * @throws ConfigurationError when an option is unknown or wrong, the property is declared twice, or the decorator stands on anything but a
 * property, or is called as a standard (TC39) decorator.
 */
export function PrivateFileColumn<E extends object = ObjectLiteral, C extends ExtendableContext = Context>(
  options: PrivateFileColumnOptions<E, C> = {},
): PrivateFileDecorator<E> {
  return (...place: unknown[]) => {
    const { target, property, subject } = decoratedProperty(place);
    if (isDeclaredBy(target, property)) {
      throw new ConfigurationError(`${subject}: @PrivateFileColumn is there twice. Remove one.`);
    }
    const column = columnOptions(subject, options, new PrivateFileTransformer(subject));
    declare(target, property, options as unknown as PrivateFileColumnOptions);
    Column(column)(target, property);
  };
}

/**
 * The same declaration for an `EntitySchema`.
 *
 * @example
 * columns: { id: { type: Number, primary: true, generated: true }, scan: privateFileColumn<Invoice>({ uploadTo: "scans" }) }
 *
 * @throws ConfigurationError when an option is unknown or wrong.
 */
export function privateFileColumn<E extends object = ObjectLiteral, C extends ExtendableContext = Context>(
  options: PrivateFileColumnOptions<E, C> = {},
): EntitySchemaColumnOptions {
  const subject = "privateFileColumn";
  return columnOptions(
    subject,
    options,
    new PrivateFileTransformer(subject, options as unknown as PrivateFileColumnOptions),
  );
}

function columnOptions<E extends object, C extends ExtendableContext>(
  subject: string,
  options: PrivateFileColumnOptions<E, C>,
  transformer: PrivateFileTransformer,
) {
  const checked = options as PrivateFileColumnOptions<never>;
  checkColumnOptions(subject, checked);
  return { type: String, ...databaseOptions(checked), transformer };
}
