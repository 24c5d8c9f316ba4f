import { type Html, html } from "../html.js";
import type { User } from "../models/user.js";

/** The frame around every page, as the text that is sent. */
export function layout(page: { title: string; user?: User | null | undefined; main: Html }): string {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${page.title} · Private files</title>
  <link rel="icon" href="/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/site.css">
  <script type="module" src="/site.js"></script>
</head>
<body>
  <a class="skip" href="#main">Skip to the content</a>
  <header class="top">
    <a class="brand" href="/"><img src="/icon.svg" alt="" width="28" height="28">Private files</a>
    ${page.user && whoIsSignedIn(page.user)}
  </header>
  <main id="main">${page.main}</main>
  <footer>An example of <code>typeorm-private-files</code></footer>
</body>
</html>
`.toString();
}

function whoIsSignedIn(user: User): Html {
  return html`<div class="who">
      <span class="initial" aria-hidden="true">${user.name.slice(0, 1)}</span>
      <span><span class="quiet signed-in-as">Signed in as</span> <strong>${user.name}</strong></span>
      <a class="button" href="/sign-in">Switch</a>
      <form method="post" action="/sign-out" aria-label="Sign out"><button class="button">Sign out</button></form>
    </div>`;
}
