import { Router } from "@koa/router";
import type { Middleware } from "koa";
import { koaBody } from "koa-body";
import type { DataSource } from "typeorm";
import { Refusal } from "./errors.js";
import { field, seeOther } from "./form.js";
import { User } from "./models/user.js";
import { signInPage } from "./pages/sign-in.js";
import { everyone } from "./people.js";
import { returnPath } from "./return-path.js";

/**
 * Finds out who asks and puts them in `ctx.state.user`, which is where the columns' conditions look.
 * A real site does this with its own sign-in, koa-passport for example.
 */
export function currentUser(dataSource: DataSource): Middleware {
  const users = dataSource.getRepository(User);
  return async (ctx, next) => {
    const { userId: id, signOuts } = ctx.session ?? {};
    if (typeof id === "number") ctx.state.user = await users.findOneBy({ id, signOuts });
    await next();
  };
}

/** Lets only people through who are signed in. */
export const signedInOnly: Middleware = (ctx, next) => {
  if (!ctx.state.user) throw new Refusal(403, "Sign in first.");
  return next();
};

/** Sign in as anyone, without a password: this is an example. */
export function signInRoutes(dataSource: DataSource): Router {
  const router = new Router();
  const parseForm = koaBody({ json: false, text: false, formLimit: "1kb" });

  router.get("/sign-in", async (ctx) => {
    ctx.body = signInPage(await everyone(dataSource), ctx.state.user, returnPath(ctx.query.to));
  });
  router.post("/sign-in", parseForm, async (ctx) => {
    const chosen = (await everyone(dataSource)).find((person) => person.name === field(ctx, "person"));
    if (!chosen) throw new Refusal(400, "Choose one of the people on the page.");
    ctx.session = { userId: chosen.id, signOuts: chosen.signOuts };
    seeOther(ctx, returnPath(field(ctx, "to")));
  });
  router.post("/sign-out", async (ctx) => {
    const { user } = ctx.state;
    if (user) await dataSource.getRepository(User).increment({ id: user.id }, "signOuts", 1);
    ctx.session = null;
    seeOther(ctx, "/sign-in");
  });
  return router;
}
