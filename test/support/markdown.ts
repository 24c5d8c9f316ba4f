import { posix } from "node:path";

/** A fenced block of code. */
export interface Fence {
  /** What stands after the opening backticks: the language, and perhaps more. */
  info: string;
  code: string;
  /** The line of the opening backticks, counted from 1. */
  line: number;
}

/** The fenced blocks of a page, in their order. */
export function fencesOf(markdown: string): Fence[] {
  return [...markdown.matchAll(FENCE)].map((match) => ({
    info: match[2]!.trim(),
    code: match[3]!,
    line: markdown.slice(0, match.index).split("\n").length,
  }));
}

/** A link from one page to a file beside it. */
export interface RelativeLink {
  /** The link as it is written. */
  link: string;
  /** The file, by its path from the folder that the page's own path starts at. */
  path: string;
  /** The heading in it. */
  anchor: string | undefined;
}

/** The links of a page that lead to files beside it, or to a heading of the page itself. */
export function relativeLinksOf(page: string, markdown: string): RelativeLink[] {
  const links = linksOf(markdown).filter((target) => !/^[a-z]+:/i.test(target));
  return links.map((link) => {
    const [target, anchor] = link.split("#") as [string, string?];
    return { link, path: target ? posix.join(posix.dirname(page), decodeURI(target)) : page, anchor };
  });
}

/** The anchors that GitHub gives to a page's headings. */
export function anchorsOf(markdown: string): string[] {
  const times = new Map<string, number>();
  return headingsOf(markdown).map((heading) => {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, "")
      .replaceAll(" ", "-");
    const before = times.get(slug) ?? 0;
    times.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

/** Whether a page speaks of a name of the code: in a heading, or anywhere as `code`. */
export function documents(markdown: string, name: string): boolean {
  const prose = markdown.replace(FENCE, "");
  const code = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
  const word = new RegExp(`(?<![\\w$])${name}(?![\\w$])`);
  return [...headingsOf(markdown), ...code].some((text) => word.test(text));
}

/** A table, of a line of headings and lines of cells. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");
}

/** The targets of a page's links, as they are written. What stands in code is no link. */
function linksOf(markdown: string): string[] {
  const prose = withoutCode(markdown);
  const inline = prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g);
  const definitions = prose.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/gm);
  return [...inline, ...definitions].map((match) => match[1]!);
}

function headingsOf(markdown: string): string[] {
  return [...markdown.replace(FENCE, "").matchAll(/^#{1,6} +(.+?)(?: +#+)?$/gm)].map((match) =>
    match[1]!.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"),
  );
}

function withoutCode(markdown: string): string {
  return markdown.replace(FENCE, "").replace(/(`+)(?!`).*?(?<!`)\1(?!`)/gs, "");
}

const FENCE = /^ {0,3}(`{3,}|~{3,})([^\n]*)\n(.*?)^ {0,3}\1[`~]*[ \t]*$/gms;
