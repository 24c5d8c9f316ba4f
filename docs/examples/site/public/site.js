// What the pages do more with a script than without one. They work without it.

for (const form of document.querySelectorAll("form[data-upload]")) enhanceUpload(form);
for (const list of document.querySelectorAll("[data-refresh]")) list.addEventListener("click", refreshAfterDownload);
for (const type of ["dragover", "drop"]) window.addEventListener(type, keepPage);
window.addEventListener("focus", refreshLists);
document.documentElement.classList.add("scripted");
showLocalTimes();

function enhanceUpload(form) {
  const files = form.elements.namedItem("file");
  let queue = Promise.resolve();
  const add = (chosen) => {
    const description = form.elements.namedItem("description").value;
    form.querySelector(".problem")?.remove();
    for (const file of chosen) {
      const start = () => {
        const row = addRow(form, file, start);
        queue = queue.then(() => upload(form, file, description, row));
      };
      start();
    }
    form.reset();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add(files.files);
  });
  takeDroppedFiles(form, add);
}

function takeDroppedFiles(form, add) {
  form.addEventListener("dragover", (event) => form.classList.toggle("dragged-over", bringsFiles(event)));
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) form.classList.remove("dragged-over");
  });
  form.addEventListener("drop", (event) => {
    form.classList.remove("dragged-over");
    add(event.dataTransfer.files);
  });
}

/** A browser leaves the page to show a file that is dropped beside a form. */
function keepPage(event) {
  if (bringsFiles(event)) event.preventDefault();
}

function bringsFiles(event) {
  return event.dataTransfer.types.includes("Files");
}

async function upload(form, file, description, row) {
  const body = new FormData();
  body.append("description", description);
  body.append("file", file);
  try {
    row.cancelled.throwIfAborted();
    const { message } = await send(form.action, body, row);
    say(form, message);
    row.element.remove();
    await refreshLists();
  } catch (error) {
    row.fail(error.message);
    say(form, `${file.name}: ${error.message}`);
  }
}

function send(url, body, row) {
  return new Promise((resolve, reject) => {
    // fetch() can't tell how much of a body is sent.
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => row.advance(event.loaded, event.total));
    request.addEventListener("load", () => {
      const answer = request.response ?? {};
      if (request.status === 201) resolve(answer);
      else reject(new Error(answer.message ?? `The site answered ${request.status}.`));
    });
    request.addEventListener("error", () => reject(new Error("The connection broke.")));
    request.addEventListener("abort", () => reject(row.cancelled.reason));
    row.cancelled.addEventListener("abort", () => request.abort());
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.send(body);
  });
}

function addRow(form, file, retry) {
  const element = document.createElement("li");
  const name = Object.assign(document.createElement("span"), { className: "name", textContent: file.name });
  const progress = Object.assign(document.createElement("progress"), { max: 1, value: 0, ariaLabel: file.name });
  const state = Object.assign(document.createElement("span"), { className: "state", textContent: "waiting" });
  const cancel = Object.assign(document.createElement("button"), {
    type: "button",
    className: "button",
    textContent: "Cancel",
  });
  const controller = new AbortController();
  cancel.addEventListener("click", () => controller.abort(new Error("Cancelled.")), { once: true });
  element.append(name, state, progress, cancel);
  form.querySelector(".under-way").append(element);
  /** Leaves the row by one of its buttons, which takes the focus with it. */
  const leave = () => {
    element.remove();
    form.elements.namedItem("file").focus();
  };
  return {
    element,
    cancelled: controller.signal,
    advance(loaded, total) {
      progress.value = total > 0 ? loaded / total : 0;
      state.textContent = loaded < total ? `${Math.floor(progress.value * 100)} % of ${readableSize(total)}` : "saving";
    },
    fail(reason) {
      element.classList.add("failed");
      progress.remove();
      state.textContent = reason;
      const again = Object.assign(cancel.cloneNode(), { textContent: "Try again", className: "button again" });
      again.addEventListener("click", () => {
        leave();
        retry();
      });
      cancel.textContent = "Dismiss";
      cancel.addEventListener("click", leave);
      cancel.before(again);
      again.focus();
    },
  };
}

function readableSize(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const format = { style: "unit", unit: units[power], maximumSignificantDigits: 3 };
  return new Intl.NumberFormat("en", format).format(bytes / 1000 ** power);
}

/** A screen reader announces what changes: the same text again has to be a change. */
function say(form, message) {
  const status = form.querySelector("[role=status]");
  status.textContent = "";
  setTimeout(() => {
    status.textContent = message;
  }, 100);
}

// A download leaves the page as it is; by then its count has gone up.
function refreshAfterDownload(event) {
  if (event.target.closest("a")) setTimeout(refreshLists, 1000);
}

/** Takes the lists, and nothing else, from a fresh copy of the page. */
async function refreshLists() {
  const lists = document.querySelectorAll("[data-refresh]");
  if (lists.length === 0) return;
  const response = await fetch("/", { headers: { Accept: "text/html" } }).catch(() => undefined);
  if (!response?.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const focused = document.activeElement?.getAttribute("href");
  for (const list of lists) list.replaceChildren(...fresh.getElementById(list.id).childNodes);
  showLocalTimes();
  if (focused) document.querySelector(`[data-refresh] a[href="${CSS.escape(focused)}"]`)?.focus();
}

function showLocalTimes() {
  const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
  for (const time of document.querySelectorAll("time")) time.textContent = format.format(new Date(time.dateTime));
}
