import type { PrivateFiles } from "typeorm-private-files";
import { type Html, html } from "../html.js";
import type { CountedDownload } from "../models/counted-download.js";
import type { FileSubmission } from "../models/file-submission.js";
import type { User } from "../models/user.js";
import { fileRow } from "./file-row.js";
import { layout } from "./layout.js";
import { type FormProblem, uploadForm } from "./upload-form.js";

export type { FormProblem };

/** What the home page shows. */
export interface Home {
  user: User;
  submissions: readonly FileSubmission[];
  downloads: readonly CountedDownload[];
  /** What has just been done, said once. */
  notice?: string | undefined;
  /** What was wrong with a form that was sent. */
  problem?: FormProblem | undefined;
}

/** The page with both kinds of files. */
export function homePage(files: PrivateFiles, home: Home): string {
  return layout({
    title: "Files",
    user: home.user,
    main: html`
      <h1 class="visually-hidden">Files</h1>
      ${home.notice && html`<p class="notice" role="status" tabindex="-1" autofocus>${home.notice}</p>`}
      <div class="columns">
        <section class="card" aria-labelledby="submissions">
          <h2 id="submissions">Submissions</h2>
          <p class="quiet">Everyone sees this list, and only the owner of a file may download it. Try someone else’s.</p>
          ${uploadForm({
            action: "/submissions",
            id: "submission",
            label: "Upload submissions",
            hint: "Images, PDF, Word, OpenDocument, text and ZIP, up to 100 MB each.",
            accept: "image/*,.pdf,.docx,.odt,.txt,.zip",
            problem: problemOf(home, "submission"),
          })}
          ${fileList(
            "submission-list",
            home.submissions.map((each) => submissionRow(files, each, home.user)),
          )}
        </section>
        <section class="card" aria-labelledby="downloads">
          <h2 id="downloads">Downloads</h2>
          <p class="quiet">For everyone who is signed in. Each download is counted, right before its first byte is sent.</p>
          ${uploadForm({
            action: "/downloads",
            id: "download",
            label: "Upload downloads",
            hint: "Anything, up to 5 GB each.",
            problem: problemOf(home, "download"),
          })}
          ${fileList(
            "download-list",
            home.downloads.map((each) => downloadRow(files, each)),
          )}
        </section>
      </div>`,
  });
}

function problemOf({ problem }: Home, form: string): FormProblem | undefined {
  return problem?.form === form ? problem : undefined;
}

function fileList(id: string, rows: Html[]): Html {
  return html`<div id="${id}" data-refresh>${
    rows.length > 0
      ? html`<ul class="files">${rows}</ul>`
      : html`<p class="empty">Nothing here yet. Upload the first file.</p>`
  }</div>`;
}

function submissionRow(files: PrivateFiles, submission: FileSubmission, user: User): Html {
  const mine = submission.owner.id === user.id;
  return fileRow({
    ...submission,
    url: files.url(submission, "uploadedFile"),
    fact: mine
      ? html`<span class="badge mine">yours</span>`
      : html`<span class="badge">only ${submission.owner.name}</span>`,
    action: mine ? "Download" : "Try to download",
    preview: mine && isImage(submission.originalName) ? `/submissions/${submission.id}/preview` : undefined,
    manage: mine ? manageForms(submission) : undefined,
  });
}

function isImage(name: string): boolean {
  return /\.(png|jpe?g|gif|webp|avif)$/i.test(name);
}

/** What the owner may do. */
function manageForms({ id, originalName }: FileSubmission): Html {
  return html`<details class="manage">
    <summary>Change<span class="visually-hidden"> ${originalName}</span></summary>
    <form method="post" action="/submissions/${id}/replace" enctype="multipart/form-data" aria-label="Replace ${originalName}">
      <input type="file" name="file" required aria-label="New file for ${originalName}">
      <button class="button">Replace</button>
    </form>
    <form method="post" action="/submissions/${id}/delete" aria-label="Delete ${originalName}">
      <button class="button danger">Delete</button>
    </form>
  </details>`;
}

function downloadRow(files: PrivateFiles, download: CountedDownload): Html {
  const times = download.downloads === 1 ? "1 download" : `${download.downloads} downloads`;
  return fileRow({
    ...download,
    url: files.url(download, "downloadable"),
    fact: html`<span class="badge count">${times}</span>`,
    action: "Download",
  });
}
