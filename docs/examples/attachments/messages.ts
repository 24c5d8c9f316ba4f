import Router from "@koa/router";
import type { Context } from "koa";
import type { PrivateFiles } from "typeorm-private-files";
import { claim, receiveAttachments, shown } from "./attachments.js";
import { Message } from "./models.js";
import { idsIn, userOf } from "./requests.js";

/** Messages with attachments: files of the same form (`file`), and ids of those that were uploaded before (`attachment`). */
export function messageRoutes(files: PrivateFiles): Router {
  const { manager } = files.dataSource;
  const router = new Router();

  router.post("/messages", async (ctx) => {
    const { form, attachments } = await receiveAttachments(files, ctx);
    const ids = idsIn(ctx, form.all("attachment"));
    const { recipient = ctx.throw(400), text = "" } = form;
    const { id } = await manager.transaction(async (transaction) => {
      const message = await transaction.save(Message, { sender: userOf(ctx), recipient, text });
      for (const attachment of attachments) attachment.message = message;
      await transaction.save(attachments);
      if (!(await claim(transaction, message, ids))) ctx.throw(409, "An attachment is not there any more.");
      return message;
    });
    ctx.status = 201;
    ctx.set("Location", `/messages/${id}`);
    ctx.body = { id };
  });

  router.get("/messages/:id", async (ctx) => {
    const { id, text, attachments } = await messageOf(files, ctx);
    ctx.body = { id, text, attachments: attachments.map((attachment) => shown(files, attachment)) };
  });

  // Its attachments go with it, and their files with those.
  router.delete("/messages/:id", async (ctx) => {
    const { id, sender } = await messageOf(files, ctx);
    if (sender !== userOf(ctx)) ctx.throw(403);
    await files.remove(Message, { id });
    ctx.status = 204;
  });

  return router;
}

async function messageOf({ dataSource }: PrivateFiles, ctx: Context): Promise<Message> {
  const user = userOf(ctx);
  const [id] = idsIn(ctx, [ctx.params.id!]);
  const where = [
    { id: id!, sender: user },
    { id: id!, recipient: user },
  ];
  const message = await dataSource.manager.findOne(Message, { where, relations: { attachments: true } });
  return message ?? ctx.throw(404);
}
