import { type Html, html } from "../html.js";

/** What a form shows. */
export interface UploadForm {
  /** Where it is sent. */
  action: string;
  /** Starts the ids of the form's elements, which a page with two forms must tell apart. */
  id: string;
  /** What the form is for, for screen readers. */
  label: string;
  /** What is taken, in words. */
  hint: string;
  /** What is taken, for the browser's own choice of files. */
  accept?: string;
  /** What was wrong with it when it was sent. */
  problem?: FormProblem | undefined;
}

/** What was wrong with a form. */
export interface FormProblem {
  /** The start of its ids. */
  form: string;
  /** What was wrong. */
  message: string;
  /** The field that was. */
  field?: "file" | "description";
  /** What was typed into the description. */
  typed?: string | undefined;
}

/**
 * A form that works without a script. With one, `public/site.js` sends the files one after another, shows how far each
 * is, and takes files that are dropped on it. The description comes first, so that it is known when a file is refused.
 */
export function uploadForm({ action, id, label, hint, accept, problem }: UploadForm): Html {
  const wrong = (field: string) =>
    problem?.field === field && html` aria-invalid="true" aria-errormessage="${id}-problem" autofocus`;
  return html`<form class="upload" method="post" action="${action}" enctype="multipart/form-data" aria-label="${label}" data-upload>
    ${problem && html`<p class="problem" id="${id}-problem" role="alert">${problem.message}</p>`}
    <div class="field">
      <label for="${id}-description">Description <span class="quiet">optional</span></label>
      <input id="${id}-description" name="description" maxlength="200" autocomplete="off" value="${problem?.typed}"
        placeholder="The file’s name, if left empty"${wrong("description")}>
    </div>
    <div class="field">
      <label for="${id}-file">Files <span class="quiet drop-hint">or drop them here</span></label>
      <input id="${id}-file" type="file" name="file" multiple required aria-describedby="${id}-hint"
        accept="${accept}"${wrong("file")}>
      <p class="hint quiet" id="${id}-hint">${hint}</p>
    </div>
    <button class="button primary">Upload</button>
    <ul class="under-way"></ul>
    <p class="visually-hidden" role="status"></p>
  </form>`;
}
