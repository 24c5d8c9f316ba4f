import type { Context, ExtendableContext } from "koa";
import type { ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../../column/private-column.js";
import { ConfigurationError } from "../../errors.js";
import { shown } from "../../quoted.js";
import type { Presentation } from "../request.js";
import type { Responder } from "../respond.js";
import { assertReading } from "./method.js";
import { checkSendOptions, type SendOptions } from "./send-options.js";

/**
 * Answers a request with the file of an entity that the application loaded.
 *
 * @throws ConfigurationError for a wrong option, anything but a context, or a property that was not loaded.
 * @throws DownloadError for a request that is refused or fails.
 */
export async function send(
  responder: Responder,
  ctx: ExtendableContext,
  column: PrivateColumn,
  entity: ObjectLiteral,
  options: SendOptions,
): Promise<void> {
  checkSendOptions(options);
  if (!isContext(ctx)) {
    throw new ConfigurationError(
      `PrivateFiles.send: "ctx" must be the context of a request, got ${shown(ctx)}. Give what Koa gives to a middleware.`,
    );
  }
  assertLoaded(column, entity);
  assertReading(ctx as Context);
  await responder.respond({
    ctx: ctx as Context,
    column,
    // The same one each time, whatever happened to its row: what the application asked before it called holds for no other.
    load: async () => entity,
    authorized: options.authorized === true,
    presentation: presentationOf(column, options),
  });
}

function isContext(value: unknown): boolean {
  const { req, res, app } = (value ?? {}) as Partial<Context>;
  return req !== undefined && res !== undefined && app !== undefined;
}

function assertLoaded({ column, subject }: PrivateColumn, entity: ObjectLiteral): void {
  if (column.getEntityValue(entity) !== undefined) return;
  throw new ConfigurationError(`${subject}: the entity was loaded without the property. Select its column.`);
}

function presentationOf({ options }: PrivateColumn, { attachment, filename, cacheControl }: SendOptions): Presentation {
  return {
    attachment: attachment ?? options.attachment,
    filename: filename ? () => filename : options.filename,
    cacheControl: cacheControl ?? options.cacheControl,
  };
}
