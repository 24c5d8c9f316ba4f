import { Column, type EntitySchemaColumnOptions, type ObjectLiteral } from "typeorm";
import { ConfigurationError } from "../errors.js";
import { checkColumnOptions, databaseOptions, type PrivateFileColumnOptions } from "./column-options.js";
import { declare, isDeclaredBy } from "./declaration.js";
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
 * @param options Where files go, who may read them, and how they are sent.
 * @throws ConfigurationError when an option is unknown or wrong, or the property is declared twice.
 */
export function PrivateFileColumn<E extends object = ObjectLiteral>(
  options: PrivateFileColumnOptions<E> = {},
): PropertyDecorator {
  return (target, property) => {
    const subject = `${target.constructor.name}.${String(property)}`;
    if (isDeclaredBy(target, property)) {
      throw new ConfigurationError(`${subject}: @PrivateFileColumn is there twice. Remove one.`);
    }
    const column = columnOptions(subject, options, new PrivateFileTransformer(subject));
    declare(target, property, options as PrivateFileColumnOptions);
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
export function privateFileColumn<E extends object = ObjectLiteral>(
  options: PrivateFileColumnOptions<E> = {},
): EntitySchemaColumnOptions {
  const subject = "privateFileColumn";
  return columnOptions(subject, options, new PrivateFileTransformer(subject, options as PrivateFileColumnOptions));
}

function columnOptions<E extends object>(
  subject: string,
  options: PrivateFileColumnOptions<E>,
  transformer: PrivateFileTransformer,
) {
  const checked = options as PrivateFileColumnOptions<never>;
  checkColumnOptions(subject, checked);
  return { type: String, ...databaseOptions(checked), transformer };
}
