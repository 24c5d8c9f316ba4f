import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Context } from "koa";
import { Column, DeleteDateColumn, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn, type Relation } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../../support/application.js";
import { inProduction, warningsWhile } from "../../support/warnings.js";

@Entity()
class User {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @ManyToOne(() => User, { nullable: true }) boss!: Relation<User> | null;
  @DeleteDateColumn() deletedAt!: Date | null;
  @OneToMany(
    () => Submission,
    ({ owner }) => owner,
  )
  submissions!: Relation<Submission>[];
}

/** The rule of each test. */
let rule: (ctx: Context, submission: Submission) => unknown;
const owned = { nullable: true, relations: { owner: true } };

/** A rule whose text names "owner", as those of applications do. */
const reads = {
  owner: (ctx: Context, { owner }: Submission) => ctx.state.user != null && owner?.name === ctx.state.user.name,
};

@Entity()
class Submission {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => User, { nullable: true }) owner!: Relation<User> | null;
  @ManyToOne(() => User, { nullable: true }) user!: Relation<User> | null;
  @Column({ type: Number, nullable: true }) userId!: number | null;
  @ManyToOne(() => User, { nullable: true, lazy: true }) reviewer!: Promise<User | null>;

  @PrivateFileColumn<Submission>({ ...owned, condition: ((ctx, one) => rule(ctx, one)) as typeof reads.owner })
  any!: PrivateFile | null;

  /** The rule of the documentation. */
  @PrivateFileColumn<Submission>({
    ...owned,
    condition: (ctx, submission) => ctx.state.user != null && submission.owner?.name === ctx.state.user.name,
  })
  safe!: PrivateFile | null;

  @PrivateFileColumn<Submission>({ ...owned, condition: (ctx, one) => one.owner!.name === ctx.state.user?.name })
  careless!: PrivateFile | null;

  @PrivateFileColumn<Submission>({ nullable: true, condition: reads.owner }) unloaded!: PrivateFile | null;

  @PrivateFileColumn<Submission>({
    ...owned,
    condition: (ctx, submission) => submission.owner?.boss?.name === ctx.state.user?.name && ctx.state.user != null,
  })
  nested!: PrivateFile | null;

  @PrivateFileColumn<Submission>({
    nullable: true,
    condition: async (_ctx, submission) => (await submission.reviewer)?.name === "nobody",
  })
  lazy!: PrivateFile | null;

  @PrivateFileColumn<Submission>({
    nullable: true,
    condition: (ctx, submission) => ctx.state.user != null && submission.userId === ctx.state.user.id,
  })
  byKey!: PrivateFile | null;

  @PrivateFileColumn<Submission>({
    nullable: true,
    condition: ({ state: { user } }, submission) => user != null && submission.userId === user.id,
  })
  byKeyOfUser!: PrivateFile | null;

  @PrivateFileColumn<Submission>({ nullable: true }) byDefault!: PrivateFile | null;
}

const PROPERTIES = [
  "any",
  "safe",
  "careless",
  "unloaded",
  "nested",
  "lazy",
  "byKey",
  "byKeyOfUser",
  "byDefault",
] as const;
type Property = (typeof PROPERTIES)[number];

let application: Application;
let submission: Submission;
let own: (ctx: Context) => Promise<void>;
beforeEach(async () => {
  application = await startApplication({
    entities: [User, Submission],
    before: (app) => app.use((ctx, next) => (ctx.path === "/own" ? own(ctx) : next())),
  });
  const { files, dataSource } = application;
  const owner = await dataSource.manager.save(User, { name: "alice" });
  submission = dataSource.manager.create(Submission, { owner });
  for (const property of PROPERTIES) {
    await files.attach(submission, property, Buffer.from("x"), { filename: "x.txt" });
  }
  await dataSource.manager.save(submission);
});
afterEach(() => application.close());

async function status(property: Property, ask: { as?: string; headers?: Record<string, string> } = {}) {
  return (await application.get(application.files.url(submission, property), ask)).status;
}

describe("a rule that returns something other than a boolean", () => {
  const returned: [string, () => unknown, RegExp][] = [
    [
      "a truthy object",
      () => ({ id: 1 }),
      /got an object, which refuses the request\. Compare, or use Boolean\(value\)\.$/,
    ],
    [
      "undefined, as an async function without a return",
      async () => {},
      /got undefined, .*\. Check for a missing "return"\.$/,
    ],
    ["a number", () => 1, /got a number/],
    ["a text", async () => "true", /got a string/],
    ["null", () => null, /got null/],
  ];
  for (const [what, make, message] of returned) {
    it(`refuses every request, with one warning that says what it returned: ${what}`, async () => {
      rule = make;
      const warnings = await warningsWhile(async () => {
        assert.deepEqual([await status("any"), await status("any")], [403, 403]);
      });
      assert.deepEqual(
        warnings.map(({ code }) => code),
        ["PRIVATE_FILE_RULE_RESULT"],
      );
      assert.match(warnings[0]!.message, /^Submission\.any: "condition" must return true or false, got /);
      assert.match(warnings[0]!.message, message);
    });
  }

  it("gets no warning in production, and none for true and false", async () => {
    rule = () => "yes";
    assert.deepEqual(await inProduction(() => warningsWhile(() => status("any"))), []);
    for (const answer of [true, false]) {
      rule = () => answer;
      assert.deepEqual(await warningsWhile(() => status("any")), []);
    }
  });
});

describe("a rule that names a relation which the entity does not have", () => {
  it("gets one warning where it was not loaded, which says how to load it", async () => {
    const warnings = await warningsWhile(async () => {
      assert.deepEqual([await status("unloaded", { as: "alice" }), await status("unloaded")], [403, 403]);
    });
    const message =
      'Submission.unloaded: "condition" names the relation "owner", which is not loaded. Add it to the column: relations: { owner: true }.';
    assert.deepEqual(warnings, [{ code: "PRIVATE_FILE_RELATION", message }]);
  });

  it("gets a warning that names the query where the column would load it, but files.send got an entity without it", async () => {
    const found = await application.dataSource.manager.findOneByOrFail(Submission, { id: submission.id });
    own = (ctx) => application.files.send(ctx, found, "safe");
    const [warning] = await warningsWhile(() => application.get("/own", { as: "alice" }));
    assert.match(
      warning!.message,
      /^Submission\.safe: .* not loaded\. Add it to the query whose entity files\.send gets: relations: \{ owner: true \}\.$/,
    );
  });

  it("gets one warning where that is a relation of a relation", async () => {
    const [warning, ...others] = await warningsWhile(() => status("nested", { as: "alice" }));
    assert.match(
      warning!.message,
      /names the relation "owner\.boss", which is not loaded\. Add .* relations: \{ owner: \{ boss: true \} \}\.$/,
    );
    assert.deepEqual(others, []);
  });

  it("gets one warning where it threw because the row has none", async () => {
    await application.dataSource.manager.update(Submission, { id: submission.id }, { owner: null });
    const warnings = await warningsWhile(async () => {
      assert.deepEqual([await status("careless"), await status("careless")], [500, 500]);
    });
    const message =
      'Submission.careless: "condition" names the relation "owner", which is null: the row has none, or it is soft-deleted. Let it refuse such rows: write owner?.';
    assert.deepEqual(warnings, [{ code: "PRIVATE_FILE_RELATION", message }]);
  });

  it("gets none where the relation was loaded, where it is lazy, and in production", async () => {
    const warnings = await warningsWhile(async () => {
      assert.deepEqual([await status("safe", { as: "bob" }), await status("lazy")], [403, 403]);
      assert.equal(await inProduction(() => status("unloaded")), 403);
    });
    assert.deepEqual(warnings, []);
  });
});

describe("a rule that compares the key of a relation with the user who is signed in", () => {
  for (const property of ["byKey", "byKeyOfUser"] as const) {
    it(`gets no warning, though the relation is called "user" as well: ${property}`, async () => {
      const warnings = await warningsWhile(async () => {
        assert.deepEqual([await status(property, { as: "bob" }), await status(property)], [403, 403]);
      });
      assert.deepEqual(warnings, []);
    });
  }
});

describe("the rule of the documentation", () => {
  const rows: [string, () => Promise<unknown>][] = [
    ["whose owner is soft-deleted", () => application.dataSource.manager.softDelete(User, { name: "alice" })],
    [
      "without an owner",
      () => application.dataSource.manager.update(Submission, { id: submission.id }, { owner: null }),
    ],
  ];
  for (const [what, change] of rows) {
    it(`answers 403 for a row ${what}, signed in or not, without a warning and without an error`, async () => {
      assert.equal(await status("safe", { as: "alice" }), 200);
      await change();
      const warnings = await warningsWhile(async () => {
        assert.deepEqual([await status("safe", { as: "alice" }), await status("safe")], [403, 403]);
      });
      assert.deepEqual(
        [warnings, application.errors.filter((error) => !("expose" in error && error.expose))],
        [[], []],
      );
    });
  }
});

describe("the default rule", () => {
  const credentials = { headers: { Cookie: "session=4711" } };

  it("gets one warning where a request with credentials is refused and nobody was signed in before, as with routes before the sign-in", async () => {
    const warnings = await warningsWhile(async () => {
      assert.deepEqual([await status("byDefault", credentials), await status("byDefault", credentials)], [403, 403]);
    });
    const message =
      /^PrivateFiles: the default rule refused a request with credentials, .* do it in a middleware before the one that sends files\.$/;
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["PRIVATE_FILE_SIGN_IN"],
    );
    assert.match(warnings[0]!.message, message);
  });

  it("gets none for strangers, where somebody was signed in before, and in production", async () => {
    const warnings = await warningsWhile(async () => {
      assert.equal(await status("byDefault"), 403);
      assert.equal(await inProduction(() => status("byDefault", credentials)), 403);
      assert.equal(await status("byDefault", { as: "alice" }), 200);
      assert.equal(await status("byDefault", credentials), 403);
    });
    assert.deepEqual(warnings, []);
  });
});
