import type { Answer } from "./answer.js";
import { expectThat } from "./case.js";
import type { Placed, Subject } from "./subject.js";
import type { Request } from "./wire.js";

/** The file of most cases: eleven bytes, changed at {@link MODIFIED}. */
export const DIGITS = "0123456789a";

/** When {@link DIGITS} were changed, as HTTP says it. */
export const MODIFIED = "Wed, 25 Jun 2014 17:12:18 GMT";

/** Headers of a request. */
export type Headers = NonNullable<Request["headers"]>;

/** Places {@link DIGITS}. */
export function placeDigits(subject: Subject): Promise<Placed> {
  return subject.place({ content: DIGITS, modifiedAt: new Date(MODIFIED) });
}

/** Asks for {@link DIGITS}, in a file of their own. */
export async function askForDigits(subject: Subject, headers: Headers, method = "GET"): Promise<Answer> {
  return subject.ask((await placeDigits(subject)).url, { method, headers });
}

/** Bytes that differ everywhere, so that what is left out, doubled or mixed up shows. */
export function pattern(length: number, seed = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 7 + (index >> 8) + seed) % 251;
  return bytes;
}

/** Expects a status. */
export function expectStatus(answer: Answer, ...statuses: number[]): void {
  const { status } = answer;
  expectThat(statuses.includes(status), String(status), `The status is ${status}, not ${statuses.join(" or ")}.`);
}

/** Expects the whole file. */
export function expectWhole(answer: Answer, content: string | Buffer = DIGITS): void {
  expectStatus(answer, 200);
  expectHeader(answer, "Content-Range", undefined);
  expectBytes(answer, content);
}

/** Expects the whole file, or a status without it. */
export function expectDecision(answer: Answer, status: number): void {
  if (status === 200) expectWhole(answer);
  else expectStatus(answer, status);
}

/** Expects one part of the file, and no multipart answer. */
export function expectPart(answer: Answer, contentRange: string, content: string | Buffer): void {
  expectStatus(answer, 206);
  expectHeader(answer, "Content-Range", `bytes ${contentRange}`);
  expectBytes(answer, content);
}

/** Expects a body, and a Content-Length that says how long it is. */
export function expectBytes(answer: Answer, content: string | Buffer): void {
  expectHeader(answer, "Content-Length", String(content.length));
  expectThat(Buffer.from(content).equals(answer.body), "other bytes", "The body is not what was asked for.");
}

/** Expects a header to have a value, or to be absent. */
export function expectHeader(answer: Answer, name: string, value: string | undefined): void {
  const came = answer.header(name);
  const word = came === undefined ? `no ${name}` : value === undefined ? `has ${name}` : `other ${name}`;
  expectThat(came === value, word, `${answer.status} has ${name}: ${came}, not ${value}.`);
}

/** Expects a header to match. */
export function expectHeaderLike(answer: Answer, name: string, value: RegExp): void {
  const came = answer.header(name);
  const word = came === undefined ? `no ${name}` : `other ${name}`;
  expectThat(came !== undefined && value.test(came), word, `${answer.status} has ${name}: ${came}, not ${value}.`);
}

/** Expects headers to be absent. */
export function expectAbsent(answer: Answer, ...names: string[]): void {
  for (const name of names) expectHeader(answer, name, undefined);
}
