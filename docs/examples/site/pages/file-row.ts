import { extname } from "node:path";
import { type Html, html } from "../html.js";

/** What a list shows of a file, and the link that leads to it. */
export interface FileRow {
  description: string;
  originalName: string;
  createdAt: Date;
  url: string;
  /** Who it is for, or how often it was downloaded. */
  fact: Html;
  /** What the link says. */
  action: string;
  /** Where a picture of it is. */
  preview?: string | undefined;
  /** What else can be done with it. */
  manage?: Html | undefined;
}

/** One line of a list of files. */
export function fileRow(file: FileRow): Html {
  return html`<li class="file">
    ${kind(file)}
    <div class="about">
      <p class="description">${file.description}</p>
      <p class="facts">${file.fact} ${file.originalName !== file.description && html`<span class="name">${file.originalName}</span>`}
        ${time(file.createdAt)}</p>
    </div>
    <a class="button" href="${file.url}">${file.action}<span class="visually-hidden"> ${file.originalName}</span></a>
    ${file.manage}
  </li>`;
}

function kind({ originalName, preview }: FileRow): Html {
  if (preview) return html`<img class="kind" src="${preview}" alt="" width="44" height="44" loading="lazy">`;
  return html`<span class="kind" aria-hidden="true">${extname(originalName).slice(1, 5) || "file"}</span>`;
}

// The page's script rewrites it to the reader's own time zone, which the server doesn't know.
function time(date: Date): Html {
  const text = date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
  return html`<time datetime="${date.toISOString()}">${text} UTC</time>`;
}
