import { html } from "../html.js";
import type { User } from "../models/user.js";
import { layout } from "./layout.js";

/** The page for a request that was refused or failed. */
export function errorPage(error: {
  status: number;
  title: string;
  text: string;
  user?: User | null | undefined;
  signInPath: string;
}): string {
  const { status, title, text, user, signInPath } = error;
  return layout({
    title,
    user,
    main: html`<section class="card narrow error">
      <p class="status">${status}</p>
      <h1>${title}</h1>
      <p>${text}</p>
      <p class="actions">
        ${user && html`<a class="button primary" href="/">Back to the files</a>`}
        ${user && status === 403 && html`<a class="button" href="${signInPath}">Switch to someone else</a>`}
        ${!user && html`<a class="button primary" href="${signInPath}">Sign in</a>`}
      </p>
    </section>`,
  });
}

/** What a status means, in the words of this site. */
export function explain(status: number, user?: User | null): { title: string; text: string } {
  switch (status) {
    case 403:
      return {
        title: "You may not open this",
        text: user
          ? `You are signed in as ${user.name}, and this file is for someone else.`
          : "You are not signed in, and this file is not for everyone.",
      };
    case 404:
      return { title: "There is nothing here", text: "The link may be mistyped, or the file was removed." };
    case 413:
      return { title: "That is too big", text: "Choose a smaller file." };
    default:
      return status < 500
        ? { title: "That did not work", text: "Go back and try it another way." }
        : { title: "Something broke", text: "It is our fault, not yours. Try again in a moment." };
  }
}
