import type { Context } from "koa";

/** The name of the user that is signed in. */
export function userOf(ctx: Context): string {
  return ctx.state.user?.name ?? ctx.throw(401);
}

/** Ids as a request says them: each once, not too many, and numbers that an integer column can hold. */
export function idsIn(ctx: Context, texts: string[]): number[] {
  const isRight = texts.length <= 20 && texts.every((text) => /^[1-9]\d{0,8}$/.test(text));
  return isRight ? [...new Set(texts.map(Number))] : ctx.throw(400);
}
