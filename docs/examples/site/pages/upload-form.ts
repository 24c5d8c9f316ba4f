import { type Html, html } from "../html.js";

/**
 * A form that works without a script. With one, `public/site.js` sends the files one after another, shows how far each
 * is, and takes files that are dropped on it.
 *
 * @param id Starts the ids of the form's elements, which a page with two forms must tell apart.
 */
export function uploadForm(action: string, id: string): Html {
  return html`<form class="upload" method="post" action="${action}" enctype="multipart/form-data" data-upload>
    <div class="field">
      <label for="${id}-file">Files <span class="quiet drop-hint">or drop them here</span></label>
      <input id="${id}-file" type="file" name="file" multiple required>
    </div>
    <div class="field">
      <label for="${id}-description">Description <span class="quiet">optional</span></label>
      <input id="${id}-description" name="description" maxlength="200" autocomplete="off" placeholder="The file’s name, if left empty">
    </div>
    <button class="button primary">Upload</button>
    <ul class="under-way"></ul>
    <p class="visually-hidden" role="status"></p>
  </form>`;
}
