import { Deviation } from "./case.js";
import type { Subject } from "./subject.js";

/** The tag that a file is served with, weak or strong. @throws Deviation when there is none. */
export async function tagOf(subject: Subject, url: string): Promise<string> {
  const tag = (await subject.ask(url)).header("ETag");
  if (tag === undefined) throw new Deviation("no ETag", "A whole answer has no ETag.");
  return tag;
}

/**
 * A header's value with the file's tag in it: as it is served (`<tag>`), as it is served and strong (`<strong>`), without
 * its W/ (`<opaque>`), or changed. A value without one asks the server nothing.
 *
 * @throws Deviation when the file has no such tag.
 */
export async function withTag(subject: Subject, url: string, value: string): Promise<string> {
  const wanted = /<(\w+)>/.exec(value)?.[1];
  if (wanted === undefined) return value;
  const tag = await tagOf(subject, url);
  if (wanted === "strong" && !/^"[\x21\x23-\x7e]*"$/.test(tag)) throw new Deviation("weak ETag", `The ETag is ${tag}.`);
  return value.replace(/<\w+>/, FORMS[wanted]!(tag));
}

const FORMS: Record<string, (tag: string) => string> = {
  tag: (tag) => tag,
  strong: (tag) => tag,
  opaque: withoutWeakness,
  unquoted: (tag) => withoutWeakness(tag).slice(1, -1),
  otherCase: (tag) => withoutWeakness(tag).replace(/[a-z]/gi, swapCase),
};

function withoutWeakness(tag: string): string {
  return tag.replace(/^W\//, "");
}

function swapCase(letter: string): string {
  return letter < "a" ? letter.toLowerCase() : letter.toUpperCase();
}
