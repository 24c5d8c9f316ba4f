import type { Context } from "koa";
import type { ObjectLiteral } from "typeorm";
import type { PrivateColumn } from "../../column/private-column.js";
import { described } from "../../described.js";
import { warnOnce, warnsOfMistakes } from "../../warnings.js";
import { type AbsentRelation, absentRelations } from "./absent-relations.js";

/** Warns of a rule that refused a request, if that may be a mistake. */
export function warnOfRefusal(column: PrivateColumn, entity: ObjectLiteral, answer: unknown): void {
  if (!warnsOfMistakes()) return;
  if (typeof answer !== "boolean") {
    const message = `${column.subject}: "condition" must return true or false, got ${described(answer)}, which refuses the request. ${adviceFor(answer)}.`;
    warnOnce(column, "PRIVATE_FILE_RULE_RESULT", message);
  }
  // An entity may well have no owner. Only what was not loaded is a mistake.
  warnOfRelation(
    column,
    relationsOf(column, entity).find(({ isLoaded }) => !isLoaded),
  );
}

/** Warns of a rule that threw, if that may come from a relation that the entity does not have. */
export function warnOfFailure(column: PrivateColumn, entity: ObjectLiteral, error: unknown): void {
  if (warnsOfMistakes() && error instanceof TypeError) warnOfRelation(column, relationsOf(column, entity)[0]);
}

/** Applications in which the default rule has seen somebody who is signed in. */
const signsIn = new WeakSet<object>();

/** Warns of an application that signs people in after the routes, or not where the default rule looks. */
export function warnOfSignIn({ app, headers, state }: Context, isSignedIn: boolean): void {
  if (isSignedIn) signsIn.add(app);
  // Without either of these headers, nobody claims to be signed in.
  const claims = headers.cookie !== undefined || headers.authorization !== undefined;
  if (isSignedIn || !claims || "user" in state || signsIn.has(app)) return;
  const message =
    'PrivateFiles: the default rule refused a request with credentials, and no request has had "ctx.state.user" or "ctx.isAuthenticated" so far. If users are signed in, do it in a middleware before the one that sends files.';
  warnOnce(app, "PRIVATE_FILE_SIGN_IN", message);
}

function adviceFor(answer: unknown): string {
  return answer === undefined ? 'Check for a missing "return"' : "Compare, or use Boolean(value)";
}

function relationsOf(column: PrivateColumn, entity: ObjectLiteral): AbsentRelation[] {
  const { condition } = column.options;
  return condition ? absentRelations(condition, column.entity, entity) : [];
}

function warnOfRelation(column: PrivateColumn, relation: AbsentRelation | undefined): void {
  if (!relation) return;
  const { path, isLoaded } = relation;
  const problem = isLoaded ? "null: the row has none, or it is soft-deleted" : "not loaded";
  const advice = isLoaded
    ? `Let it refuse such rows: write ${path.at(-1)}?.`
    : `${howToLoad(column, path)}: relations: ${path.reduceRight((inner, name) => `{ ${name}: ${inner} }`, "true")}.`;
  warnOnce(
    column,
    "PRIVATE_FILE_RELATION",
    `${column.subject}: "condition" names the relation "${path.join(".")}", which is ${problem}. ${advice}`,
  );
}

/** Where the column loads the relation, it was not the column that loaded the entity. */
function howToLoad({ options }: PrivateColumn, path: string[]): string {
  let relations: unknown = options.relations;
  for (const name of path) relations = (relations as ObjectLiteral | true | undefined)?.[name as never];
  return relations ? "Add it to the query whose entity files.send gets" : "Add it to the column";
}
