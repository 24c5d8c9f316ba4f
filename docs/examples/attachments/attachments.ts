import Router from "@koa/router";
import type { Context } from "koa";
import { type EntityManager, In, IsNull, LessThan } from "typeorm";
import type { Form, PrivateFiles } from "typeorm-private-files";
import { Attachment, type Message } from "./models.js";
import { idsIn, userOf } from "./requests.js";

/** Uploads that come before their message, and removal. Put what signs users in before them. */
export function attachmentRoutes(files: PrivateFiles): Router {
  const router = new Router();

  router.post("/attachments", async (ctx) => {
    const { attachments } = await receiveAttachments(files, ctx);
    await files.dataSource.manager.save(attachments);
    ctx.status = 201;
    ctx.body = attachments.map((attachment) => shown(files, attachment));
  });

  router.delete("/attachments/:id", async (ctx) => {
    const owner = userOf(ctx);
    const [id] = idsIn(ctx, [ctx.params.id!]);
    if ((await files.remove(Attachment, { id: id!, owner })) === 0) ctx.throw(404);
    ctx.status = 204;
  });

  return router;
}

/** Reads a form whose files, in the field `file`, become attachments of the user. They are not saved yet. */
export async function receiveAttachments(
  files: PrivateFiles,
  ctx: Context,
): Promise<{ form: Form; attachments: Attachment[] }> {
  const owner = userOf(ctx);
  const attachments: Attachment[] = [];
  const form = await files.receive(ctx, ({ name }) => {
    if (name !== "file") return undefined;
    const attachment = files.dataSource.manager.create(Attachment, { owner });
    attachments.push(attachment);
    return [attachment, "file"];
  });
  return { form, attachments };
}

/** Gives a message attachments that its sender uploaded before; `false` if one of them is not there, or has a message. */
export async function claim(manager: EntityManager, message: Message, ids: number[]): Promise<boolean> {
  if (ids.length === 0) return true;
  // One statement decides. Of two claims, or a claim and the expiry, one comes first, and the other finds no row.
  const free = { id: In(ids), owner: message.sender, message: IsNull(), isExpired: false };
  const { affected } = await manager.update(Attachment, free, { message });
  return affected === ids.length;
}

/** Removes the attachments that nobody has claimed for a day. Call it now and then, in any number of processes. */
export async function removeUnclaimed(files: PrivateFiles, hours = 24): Promise<number> {
  const oldest = new Date(Date.now() - hours * 3_600_000);
  // From here on they can't be claimed; what was claimed before is not among them.
  const unclaimed = { message: IsNull(), createdAt: LessThan(oldest) };
  await files.dataSource.manager.update(Attachment, unclaimed, { isExpired: true });
  return files.remove(Attachment, { isExpired: true });
}

/** What a page or an app is told of an attachment. */
export function shown(files: PrivateFiles, attachment: Attachment) {
  const { id, name, size, type } = attachment;
  return { id, name, size, type, url: files.url(attachment, "file") };
}
