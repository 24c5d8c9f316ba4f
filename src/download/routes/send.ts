import { inspect } from "node:util";
import type { Context, ExtendableContext } from "koa";
import type { ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../../column/private-column.js";
import { ConfigurationError } from "../../errors.js";
import { isFieldValue } from "../../http/field-value.js";
import type { Presentation } from "../request.js";
import type { Responder } from "../respond.js";
import { assertReading } from "./method.js";

/** What `send` does in another way than the column says, for one answer. */
export interface SendOptions {
  /** `true` if your own code has let the request through: the column's `condition` is not asked. (default: `false`) */
  authorized?: boolean;
  /**
   * `false` lets the browser show those types that run nothing (images but SVG, PDF, audio, video, plain text); all others stay
   * attachments. (default: the column's)
   */
  attachment?: boolean;
  /** The name offered to the browser. It is made safe, whatever it is. (default: the column's) */
  filename?: string;
  /** The value of Cache-Control. (default: the column's) */
  cacheControl?: string;
}

/** A private file column of an entity. */
interface Source {
  column: PrivateColumn;
  entity: ObjectLiteral;
}

/**
 * Answers a request with the file of an entity that the application loaded.
 *
 * @throws ConfigurationError for a wrong option, or a property that was not loaded.
 * @throws DownloadError for a request that is refused or fails.
 */
export async function send(
  responder: Responder,
  ctx: ExtendableContext,
  { column, entity }: Source,
  options: SendOptions,
): Promise<void> {
  checkSendOptions(column.subject, options);
  assertLoaded(column, entity);
  assertReading(ctx as Context);
  await responder.respond({
    ctx: ctx as Context,
    column,
    load: async () => entity,
    authorized: options.authorized === true,
    presentation: presentationOf(column, options),
  });
}

function presentationOf({ options }: PrivateColumn, { attachment, filename, cacheControl }: SendOptions): Presentation {
  return {
    attachment: attachment ?? options.attachment,
    filename: filename ? () => filename : options.filename,
    cacheControl: cacheControl ?? options.cacheControl,
  };
}

const CHECKS: Record<keyof SendOptions, [isValid: (value: unknown) => boolean, expected: string]> = {
  authorized: [isBoolean, "true or false; only true is a grant"],
  attachment: [isBoolean, "true or false"],
  filename: [(value) => typeof value === "string", "a text"],
  cacheControl: [isFieldValue, 'a text such as "private, no-store"'],
};

function checkSendOptions(subject: string, options: SendOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new ConfigurationError(`${subject}: the options of "send" must be an object, got ${inspect(options)}.`);
  }
  for (const [name, value] of Object.entries(options)) checkSendOption(subject, name, value);
}

function checkSendOption(subject: string, name: string, value: unknown): void {
  if (!Object.hasOwn(CHECKS, name)) {
    const known = Object.keys(CHECKS).join(", ");
    throw new ConfigurationError(`${subject}: unknown option "${name}" of "send". Use one of ${known}.`);
  }
  const [isValid, expected] = CHECKS[name as keyof SendOptions];
  if (value === undefined || isValid(value)) return;
  throw new ConfigurationError(`${subject}: "${name}" of "send" must be ${expected}, got ${inspect(value)}.`);
}

function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

function assertLoaded({ column, subject }: PrivateColumn, entity: ObjectLiteral): void {
  if (column.getEntityValue(entity) !== undefined) return;
  throw new ConfigurationError(
    `${subject}: the entity was loaded without the property. Select the column, or set it to null.`,
  );
}
