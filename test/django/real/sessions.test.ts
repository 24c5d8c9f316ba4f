import assert from "node:assert/strict";
import { djangoSession } from "../../../docs/examples/django/session.js";
import { before, it } from "../../support/suite.js";
import { describeOnRealSites, type RealSite } from "./real-site.js";
import { rowsOf, urlOf } from "./rows.js";

/** That of the project's settings. */
const SECRET_KEY = "a secret of the tests";

describeOnRealSites("a session of a site", (start) => {
  const secretKeys = [SECRET_KEY];
  let site: RealSite;
  /** What the last request had as `ctx.state.user`. */
  let lastUser: unknown;

  before(async () => {
    site = await start("all tests", {
      use({ dataSource }) {
        const session = djangoSession(dataSource, secretKeys);
        return (ctx, next) => {
          ctx.app.keys = ["a key of Koa's own"];
          return session(ctx, () => {
            lastUser = ctx.state.user;
            return next();
          });
        };
      },
    });
  });

  it("signs its user in, who gets files of their own and no others", async () => {
    for (const username of ["alice", "bob"]) {
      const session = await signIn(username);
      assert.equal(await userWith(session), username);
      for (const row of rowsOf(site, "suffix")) {
        const headers = { cookie: `csrftoken=x; sessionid=${session}` };
        const { status } = await site.get(await urlOf(site, row), { headers });
        assert.equal(status, row.owner === username ? 200 : 403);
      }
    }
    assert.equal(await userWith(undefined), "");
  });

  it("keeps the password out of ctx.state.user", async () => {
    await userWith(await signIn("alice"));
    assert.deepEqual(lastUser, { id: 1, username: "alice" });
  });

  it("signs in whether its data is compressed or not, and whatever else is in it", async () => {
    const session = await signIn("alice");
    for (const changes of [{}, { cart: ["ünï", "日本", "a book".repeat(1000)] }]) {
      for (const compress of [true, false]) {
        const data = await site.django.run<string>("rewrite", { session_id: session, compress, changes });
        assert.equal(data.startsWith("."), compress);
        assert.equal(await userWith(session), "alice");
      }
    }
  });

  it("signs no user in with an empty cookie", async () => {
    const row = rowsOf(site, "suffix")[0]!;
    const { status } = await site.get(await urlOf(site, row), { headers: { cookie: "sessionid=" } });
    assert.deepEqual([status, lastUser], [403, undefined]);
  });

  it("signs no user in while its visitor has not signed in", async () => {
    assert.equal(await userWith(await site.django.run<string>("visit")), "");
  });

  it("signs no user in when one character of its data or its signature is changed", async () => {
    const session = await signIn("alice");
    const data = await site.django.run<string>("data_of", { session_id: session });
    const forged = [
      ...[1, 20, data.indexOf(":") + 2, data.lastIndexOf(":") + 5, data.length - 2].map((at) => changed(data, at)),
      ...["", ":", "::", data.slice(0, -1), `${data}=`, `${data}:`, data.slice(0, data.lastIndexOf(":"))],
      Buffer.from('{"_auth_user_id":"1"}').toString("base64url"),
    ];
    for (const text of forged) {
      await site.django.run("replace_data", { session_id: session, data: text });
      assert.equal(await userWith(session), "", text);
    }
    await site.django.run("replace_data", { session_id: session, data });
    assert.equal(await userWith(session), "alice");
    assert.deepEqual(serverErrors(), []);
  });

  it("signs no user in when it was signed for another purpose, or with another SECRET_KEY", async () => {
    const session = await signIn("alice");
    await site.django.run("resign", { session_id: session, salt: "django.contrib.sessions.serializers" });
    assert.equal(await userWith(session), "");
    const other = await site.django.run<string>("sign_in", { username: "alice", secret_key: "another" });
    assert.equal(await userWith(other), "");
  });

  it("signs in with one of the SECRET_KEY_FALLBACKS", async (t) => {
    secretKeys.splice(0, 1, "a new secret", "another", SECRET_KEY);
    t.after(() => void secretKeys.splice(0, 3, SECRET_KEY));
    assert.equal(await userWith(await signIn("alice")), "alice");
    const other = await site.django.run<string>("sign_in", { username: "alice", secret_key: "another" });
    assert.equal(await userWith(other), "alice");
  });

  it("signs no user in once it has expired, to the second, or its user has signed out", async () => {
    const session = await signIn("alice");
    await site.django.run("expire", { session_id: session, seconds: 60 });
    assert.equal(await userWith(session), "alice");
    await site.django.run("expire", { session_id: session, seconds: -1 });
    assert.equal(await userWith(session), "");
    const another = await signIn("alice");
    await site.django.run("sign_out", { session_id: another });
    assert.equal(await userWith(another), "");
  });

  it("signs no user in whose account is inactive, or whose password was changed since", async () => {
    const session = await signIn("alice");
    await site.django.run("set_active", { username: "alice", active: false });
    assert.equal(await userWith(session), "");
    await site.django.run("set_active", { username: "alice", active: true });
    assert.equal(await userWith(session), "alice");
    await site.django.run("set_password", { username: "alice", password: "a new password" });
    assert.equal(await userWith(session), "");
    await site.django.run("set_password", { username: "alice", password: "the password of alice" });
  });

  it("is looked up by nothing but a key as Django makes it", async () => {
    const session = await signIn("alice");
    for (const key of [session.toUpperCase(), session.slice(1), `%${session.slice(1)}`, "'", "%00"]) {
      assert.equal(await userWith(key), "", key);
    }
    assert.deepEqual(serverErrors(), []);
  });

  function serverErrors(): Error[] {
    return site.errors.filter((error) => (error as { status?: number }).status !== 403);
  }

  function signIn(username: string): Promise<string> {
    return site.django.run("sign_in", { username });
  }

  /** Who is signed in with that cookie; without a user, an empty text. */
  async function userWith(session: string | undefined): Promise<string> {
    lastUser = undefined;
    await site.get("/", { headers: session === undefined ? {} : { cookie: `sessionid=${session}` } });
    return (lastUser as { username: string } | undefined)?.username ?? "";
  }
});

function changed(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}
