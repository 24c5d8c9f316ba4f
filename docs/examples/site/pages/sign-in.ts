import { html } from "../html.js";
import type { User } from "../models/user.js";
import { layout } from "./layout.js";

/** Where a visitor chooses who to be. */
export function signInPage(people: readonly User[], user: User | null | undefined, returnPath: string): string {
  return layout({
    title: "Sign in",
    user,
    main: html`<section class="card narrow">
      <h1>Who are you?</h1>
      <p>Choose anyone; there are no passwords here. Upload a file as one person, then come back as another and try
        to open it.</p>
      <form class="people" method="post" action="/sign-in" aria-label="Sign in">
        <input type="hidden" name="to" value="${returnPath}">
        ${people.map(
          ({ name }) => html`<button class="person" name="person" value="${name}">
            <span class="initial" aria-hidden="true">${name.slice(0, 1)}</span>${name}
            ${user?.name === name && html`<span class="quiet">signed in now</span>`}
          </button>`,
        )}
      </form>
    </section>`,
  });
}
