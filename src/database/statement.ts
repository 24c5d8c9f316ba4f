/** What a statement does to the transaction of its connection. */
export type TransactionStatement =
  | { kind: "begin" | "commit" | "rollback" }
  | { kind: "savepoint" | "release" | "rollbackTo"; name: string };

/** The first word of a statement, in upper case, behind comments. Cheap, as every statement of an application is asked for it. */
export function verbOf(sql: string): string {
  let end = 0;
  while (isLetter(sql.charCodeAt(end))) end++;
  return (end > 0 ? sql.slice(0, end) : (VERB.exec(sql)?.[1] ?? "")).toUpperCase();
}

/** What a statement does to its transaction, by its text; `undefined` for all that leave it as it is. */
export function transactionStatement(sql: string, verb = verbOf(sql)): TransactionStatement | undefined {
  if (!TRANSACTION.has(verb)) return undefined;
  const text = sql.replace(COMMENT, " ");
  switch (verb) {
    case "BEGIN":
      // MariaDB's BEGIN NOT ATOMIC is a block of statements.
      return /\bBEGIN\s+NOT\b/i.test(text) ? undefined : { kind: "begin" };
    case "START":
      return /\bSTART\s+TRANSACTION\b/i.test(text) ? { kind: "begin" } : undefined;
    case "SAVEPOINT":
      return { kind: "savepoint", name: lastName(text) };
    case "RELEASE":
      return { kind: "release", name: lastName(text) };
    case "ROLLBACK":
      return /\bTO\b/i.test(text) ? { kind: "rollbackTo", name: lastName(text) } : { kind: "rollback" };
    case "ABORT":
      return { kind: "rollback" };
    default:
      return { kind: "commit" };
  }
}

/** Whether a statement commits the transaction before it without saying so, as MariaDB's and MySQL's DDL does. */
export function commitsImplicitly(verb: string): boolean {
  return DDL.has(verb);
}

/** The parameters whose values a statement writes: of an UPDATE those before its WHERE. */
export function writtenParameters(sql: string, parameters: unknown, verb = verbOf(sql)): unknown[] {
  if (!parameters || !WRITING.has(verb)) return [];
  const all = Array.isArray(parameters) ? parameters : Object.values(parameters);
  if (verb === "WITH" && !WRITING_PART.test(sql)) return [];
  return verb === "UPDATE" ? assigned(sql).map((index) => all[index]) : all;
}

/** Which parameters stand before the WHERE of an UPDATE; an expression that it assigns may have a WHERE as well. */
function assigned(sql: string): number[] {
  const indexes: number[] = [];
  let [depth, questions] = [0, 0];
  for (const [token] of sql.matchAll(TOKEN)) {
    if (token === "(") depth++;
    else if (token === ")") depth--;
    else if (token === "?") indexes.push(questions++);
    else if (token.startsWith("$")) indexes.push(Number(token.slice(1)) - 1);
    else if (depth === 0 && token.toUpperCase() === "WHERE") break;
  }
  return indexes;
}

/**
 * The table that a statement writes to, as its text names it: the schema, if there is one, and the table, in lower case.
 * `undefined` where the text is too involved to tell.
 */
export function writtenTable(sql: string): { schema?: string; table: string } | undefined {
  const path = TABLE.exec(sql)?.[1]
    ?.match(NAMES)
    ?.map((name) => unquoted(name).toLowerCase());
  return path && { schema: path.at(-2), table: path.at(-1)! };
}

const VERB = /^\s*(?:\/\*.*?\*\/\s*|--[^\n]*\n\s*)*([a-z]+)/is;
const COMMENT = /\/\*.*?\*\/|--[^\n]*/gs;
const TRANSACTION = new Set(["BEGIN", "START", "SAVEPOINT", "RELEASE", "ROLLBACK", "ABORT", "COMMIT", "END"]);
const DDL = new Set(
  "CREATE ALTER DROP RENAME TRUNCATE GRANT REVOKE LOCK UNLOCK SET ANALYZE OPTIMIZE REPAIR".split(" "),
);
const NAME = '(?:"(?:[^"]|"")+"|`(?:[^`]|``)+`|\\[[^\\]]+\\]|[\\p{L}\\p{N}_$]+)';
const NAMES = new RegExp(NAME, "gu");
const TABLE = new RegExp(
  `^\\s*(?:(?:INSERT|REPLACE)\\s+(?:OR\\s+\\w+\\s+|IGNORE\\s+)?INTO|UPDATE(?:\\s+OR\\s+\\w+)?(?:\\s+ONLY)?)\\s+(${NAME}(?:\\.${NAME})*)(?=[\\s(])`,
  "iu",
);
const SAVEPOINT = new RegExp(`(${NAME})\\s*;?\\s*$`, "u");
const WRITING_PART = /\b(?:INTO|SET)\b/i;
const TOKEN = /'(?:[^']|'')*'|"[^"]*"|`[^`]*`|[()?]|\$\d+|\bWHERE\b/gi;
const WRITING = new Set(["INSERT", "UPDATE", "REPLACE", "MERGE", "WITH"]);

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

/** The name of a savepoint, which stands last. Most databases ignore its case. */
function lastName(sql: string): string {
  return unquoted(SAVEPOINT.exec(sql)?.[1] ?? "").toLowerCase();
}

function unquoted(name: string): string {
  const quote = name.at(-1) ?? "";
  return /["`\]]/.test(quote) ? name.slice(1, -1).replaceAll(quote + quote, quote) : name;
}
