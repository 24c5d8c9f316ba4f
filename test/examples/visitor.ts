/** A browser without a script: it keeps cookies and follows no redirect by itself. */
export class Visitor {
  #cookies = new Map<string, string>();

  constructor(private readonly siteUrl: string) {}

  /** Asks for a page or a file. */
  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#fetch(path, { headers });
  }

  /** Asks what a file is, without its bytes. */
  head(path: string): Promise<Response> {
    return this.#fetch(path, { method: "HEAD", headers: {} });
  }

  /** Asks for a page and reads it. */
  async page(path: string): Promise<string> {
    return (await this.get(path, { accept: "text/html" })).text();
  }

  /** Posts a form from a page of the site. */
  post(path: string, body: FormData | URLSearchParams, headers: Record<string, string> = {}): Promise<Response> {
    return this.#fetch(path, {
      method: "POST",
      body,
      headers: { accept: "text/html", origin: this.siteUrl, ...headers },
    });
  }

  /** Becomes one of the site's people. */
  async signIn(name: string): Promise<this> {
    const response = await this.post("/sign-in", new URLSearchParams({ person: name }));
    if (response.status !== 303) throw new Error(`Signing in as ${name} answered ${response.status}.`);
    return this;
  }

  /** Someone else who has the same cookies by now. */
  copy(): Visitor {
    const copy = new Visitor(this.siteUrl);
    copy.#cookies = new Map(this.#cookies);
    return copy;
  }

  async #fetch(path: string, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(this.siteUrl + path, {
      ...init,
      redirect: "manual",
      headers: { ...init.headers, ...(cookie && { cookie }) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    return response;
  }
}

/** The form that uploads `files`, as a page sends it. */
export function uploadForm(files: readonly File[], description = ""): FormData {
  const form = new FormData();
  form.append("description", description);
  for (const file of files) form.append("file", file);
  return form;
}

/** The links to private files on a page, in the order of the page. */
export function privateLinks(page: string): string[] {
  return [...page.matchAll(/href="(\/private-files\/[^"]+)"/g)].map(([, path = ""]) => path);
}
