import type { PrivateFiles } from "typeorm-private-files";
import { type Html, html } from "../html.js";
import type { CountedDownload } from "../models/counted-download.js";
import type { FileSubmission } from "../models/file-submission.js";
import type { User } from "../models/user.js";
import { fileRow } from "./file-row.js";
import { layout } from "./layout.js";
import { uploadForm } from "./upload-form.js";

/** What the home page shows. */
export interface Home {
  user: User;
  submissions: readonly FileSubmission[];
  downloads: readonly CountedDownload[];
  /** What has just been done, said once. */
  notice?: string | undefined;
}

/** The page with both kinds of files. */
export function homePage(files: PrivateFiles, home: Home): string {
  return layout({
    title: "Files",
    user: home.user,
    main: html`
      <h1 class="visually-hidden">Files</h1>
      ${home.notice && html`<p class="notice" role="status">${home.notice}</p>`}
      <div class="columns">
        <section class="card" aria-labelledby="submissions">
          <h2 id="submissions">Submissions</h2>
          <p class="quiet">Everyone sees this list, and only the owner of a file may download it. Try someone else’s.</p>
          ${uploadForm("/submissions", "submission")}
          ${fileList(
            "submission-list",
            home.submissions.map((each) => submissionRow(files, each, home.user)),
          )}
        </section>
        <section class="card" aria-labelledby="downloads">
          <h2 id="downloads">Downloads</h2>
          <p class="quiet">For everyone who is signed in. Each download is counted, right before its first byte is sent.</p>
          ${uploadForm("/downloads", "download")}
          ${fileList(
            "download-list",
            home.downloads.map((each) => downloadRow(files, each)),
          )}
        </section>
      </div>`,
  });
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
  });
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
