import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { inflateSync } from "node:zlib";
import type { Middleware } from "koa";
import { Column, type DataSource, Entity, PrimaryColumn } from "typeorm";
import { User } from "./models.js";

/** Django's sessions, as its engines `backends.db` (the default) and `backends.cached_db` keep them. */
@Entity("django_session")
export class DjangoSession {
  @PrimaryColumn({ name: "session_key", length: 40 }) key!: string;
  @Column({ name: "session_data", type: "text" }) data!: string;
  @Column({ name: "expire_date" }) expiresAt!: Date;
}

/**
 * Sets `ctx.state.user` to the user that Django has signed in, by the cookie `sessionid`. It never writes: a session is
 * prolonged and ended by Django alone. Costs two SELECTs for each request with a session.
 *
 * @param secretKeys Django's `SECRET_KEY`, then its `SECRET_KEY_FALLBACKS`.
 */
export function djangoSession(dataSource: DataSource, secretKeys: string[]): Middleware {
  return async (ctx, next) => {
    const sessionKey = ctx.cookies.get("sessionid");
    ctx.state.user = sessionKey ? await userOf(dataSource, sessionKey, secretKeys) : undefined;
    await next();
  };
}

async function userOf(dataSource: DataSource, sessionKey: string, secretKeys: string[]) {
  const session = await sessionWith(dataSource, sessionKey);
  const content = session && contentOf(session.data, secretKeys);
  if (!content?._auth_user_id) return undefined;
  const user = await dataSource.manager.findOne(User, {
    where: { id: Number(content._auth_user_id), isActive: true },
    select: { id: true, username: true, password: true },
    cache: false,
  });
  // It changes with the password, which ends the sessions that others have.
  if (!user || !isPasswordOf(content, user.password, secretKeys)) return undefined;
  return { id: user.id, username: user.username };
}

async function sessionWith(dataSource: DataSource, key: string): Promise<DjangoSession | undefined> {
  if (!/^[0-9a-z]{32}$/.test(key)) return undefined;
  // A data source that caches every query would keep sessions alive that have ended.
  const session = await dataSource.manager.findOne(DjangoSession, { where: { key }, cache: false });
  return session && session.expiresAt > new Date() ? session : undefined;
}

interface SessionContent {
  _auth_user_id?: string;
  _auth_user_hash?: string;
}

/** The content of a session. Its form is `payload:timestamp:signature`, in which a dot before the payload says that it is compressed. */
function contentOf(data: string, secretKeys: string[]): SessionContent | undefined {
  const end = data.lastIndexOf(":");
  const signed = data.slice(0, end);
  const signatures = secretKeys.map((secret) => hmac("django.contrib.sessions.SessionStoresigner", signed, secret));
  if (!isOneOf(data.slice(end + 1), signatures, "base64url")) return undefined;
  const payload = signed.slice(0, signed.indexOf(":"));
  const isCompressed = payload.startsWith(".");
  const bytes = Buffer.from(isCompressed ? payload.slice(1) : payload, "base64url");
  return JSON.parse((isCompressed ? inflateSync(bytes) : bytes).toString("latin1"));
}

function isPasswordOf({ _auth_user_hash: hash = "" }: SessionContent, password: string, secretKeys: string[]): boolean {
  const salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash";
  const hashes = secretKeys.map((secret) => hmac(salt, password, secret));
  return isOneOf(hash, hashes, "hex");
}

/** Django's `salted_hmac`. */
function hmac(salt: string, value: string, secret: string): Buffer {
  const key = createHash("sha256").update(salt + secret);
  return createHmac("sha256", key.digest()).update(value).digest();
}

function isOneOf(text: string, expected: Buffer[], encoding: "base64url" | "hex"): boolean {
  const given = Buffer.from(text);
  return expected
    .map((bytes) => Buffer.from(bytes.toString(encoding)))
    .some((bytes) => bytes.length === given.length && timingSafeEqual(bytes, given));
}
