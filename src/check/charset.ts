import type { QueryRunner } from "typeorm";
import { dataSourceOf } from "../column/data-source.js";
import { isInexpressible, isMysql } from "../database/dialect.js";
import type { CataloguedColumn } from "./catalogue.js";
import type { Problem } from "./problem.js";

/** Letters as names of files have them, of some scripts. The last one is not in the Basic Multilingual Plane. */
const LETTERS = ["é", "ł", "Ж", "Ω", "א", "ع", "अ", "ก", "日", "한", "𠮷"];

/** Looks whether the column's character set has the letters of all scripts, which keys keep. The database itself is asked. */
export async function checkCharset(
  runner: QueryRunner,
  subject: string,
  { charset }: CataloguedColumn,
): Promise<Problem[]> {
  if (!charset) return [];
  const mysql = isMysql(dataSourceOf(runner));
  const lost = mysql ? await lostInMysql(runner, charset) : await lostInPostgres(runner, LETTERS);
  if (lost.length === 0) return [];
  const isSilent = mysql && !(await isStrict(runner));
  const consequence = isSilent
    ? 'the database stores "?" in their place, and the row then names no file'
    : "the database refuses rows with such names";
  const remedy = mysql ? "Convert the column to utf8mb4." : "Move to a database with the encoding UTF8.";
  const message = `its character set "${charset}" lacks letters that names of files have, such as ${lost.join(" ")}: ${consequence}. ${remedy}`;
  return [{ code: "COLUMN_CHARSET", severity: isSilent ? "error" : "warning", subject, message }];
}

/** As hexadecimal digits, because the connection may have a character set of its own. */
async function lostInMysql(runner: QueryRunner, charset: string): Promise<string[]> {
  const codes = LETTERS.map((letter) => Buffer.from(letter).toString("hex").toUpperCase());
  const name = dataSourceOf(runner).driver.escape(charset);
  const kept = codes.map((code) => `HEX(CONVERT(CONVERT(_utf8mb4 0x${code} USING ${name}) USING utf8mb4)) AS c${code}`);
  const [row] = await runner.query(`SELECT ${kept.join(", ")}`);
  return LETTERS.filter((_, index) => row[`c${codes[index]}`] !== codes[index]);
}

async function isStrict(runner: QueryRunner): Promise<boolean> {
  const [{ mode }] = await runner.query("SELECT @@sql_mode AS mode");
  return /STRICT_(?:TRANS|ALL)_TABLES/.test(mode);
}

/** PostgreSQL answers a letter that its database does not have with an error. */
async function lostInPostgres(runner: QueryRunner, letters: string[]): Promise<string[]> {
  try {
    const [{ kept }] = await runner.query("SELECT $1::text AS kept", [letters.join("")]);
    if (kept === letters.join("")) return [];
  } catch (error) {
    if (!isInexpressible(error)) throw error;
  }
  if (letters.length === 1) return letters;
  const half = Math.ceil(letters.length / 2);
  return [
    ...(await lostInPostgres(runner, letters.slice(0, half))),
    ...(await lostInPostgres(runner, letters.slice(half))),
  ];
}
