import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { CountedDownload } from "../../docs/examples/site/models/counted-download.js";
import { FileSubmission } from "../../docs/examples/site/models/file-submission.js";
import { User } from "../../docs/examples/site/models/user.js";
import { prepareDatabase } from "../../docs/examples/site/people.js";
import { eventually } from "../support/eventually.js";
import { after, before, describe, it } from "../support/suite.js";
import { type RunningSite, startSite } from "./running-site.js";
import { privateLinks, uploadForm, Visitor } from "./visitor.js";

describe("the example site", () => {
  let site: RunningSite;
  let alice: Visitor;
  let bob: Visitor;

  before(async () => {
    site = await startSite();
    alice = await new Visitor(site.url).signIn("Alice");
    bob = await new Visitor(site.url).signIn("Bob");
  });
  after(() => site.stop());

  /** Uploads one file as a plain form does, and finds the link to it. */
  async function upload(visitor: Visitor, path: "/submissions" | "/downloads", file: File, description?: string) {
    const response = await visitor.post(path, uploadForm([file], description));
    assert.equal(response.status, 303, await response.text());
    const ofThatList = (link: string) => /submission/i.test(link) === (path === "/submissions");
    return privateLinks(await visitor.page("/")).find(ofThatList) ?? assert.fail("no link on the page");
  }

  async function stored(): Promise<number> {
    const entries = await readdir(site.filesRoot, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).length;
  }

  describe("signing in", () => {
    it("sends a visitor who opens the home page to the three people to choose from", async () => {
      const visitor = new Visitor(site.url);
      const response = await visitor.get("/");
      assert.equal(response.headers.get("location"), "/sign-in");
      const page = await visitor.page("/sign-in");
      for (const name of ["Alice", "Bob", "Carol"]) assert.match(page, new RegExp(`value="${name}"`));
      assert.match(page, /no passwords/);
    });

    it("gives a cookie that scripts can't read and other sites can't send along", async () => {
      const response = await new Visitor(site.url).post("/sign-in", new URLSearchParams({ person: "Alice" }));
      const [cookie, signature] = response.headers.getSetCookie();
      assert.match(cookie ?? "", /^session=.*; samesite=lax; httponly$/i);
      assert.match(signature ?? "", /^session\.sig=/);
    });

    it("answers 400 for someone who is not on the page", async () => {
      const response = await new Visitor(site.url).post("/sign-in", new URLSearchParams({ person: "Mallory" }));
      assert.equal(response.status, 400);
      assert.match(await response.text(), /Choose one of the people/);
    });

    it("forgets who it was on signing out", async () => {
      const carol = await new Visitor(site.url).signIn("Carol");
      assert.match(await carol.page("/"), /Signed in as/);
      await carol.post("/sign-out", new URLSearchParams());
      assert.equal((await carol.get("/")).status, 302);
    });

    it("ends with signing out for a copy of the cookie, too, and for nobody else", async () => {
      const carol = await new Visitor(site.url).signIn("Carol");
      const copy = carol.copy();
      assert.equal((await copy.get("/")).status, 200);
      await carol.post("/sign-out", new URLSearchParams());
      assert.equal((await copy.get("/")).status, 302);
      assert.equal((await alice.get("/")).status, 200);
    });

    it("leads back to the page that was asked for, and never to another site", async () => {
      const visitor = new Visitor(site.url);
      const refused = await visitor.page("/private-files/file-submission/uploaded-file/1/a.pdf?x=1");
      const [, link] = /href="(\/sign-in\?to=[^"]+)"/.exec(refused) ?? [];
      const page = await visitor.page(link!);
      const [, to] = /name="to" value="([^"]+)"/.exec(page) ?? [];
      assert.equal(to, "/private-files/file-submission/uploaded-file/1/a.pdf?x=1");
      const signIn = (to: string) => visitor.post("/sign-in", new URLSearchParams({ person: "Alice", to }));
      assert.equal((await signIn(to!)).headers.get("location"), to);
      for (const path of [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\t//evil.example",
        "javascript:1",
        "",
        "/..//evil.example",
      ]) {
        assert.equal((await signIn(path)).headers.get("location"), "/", path);
      }
    });

    it("keeps the people that it has when it starts again", async () => {
      await prepareDatabase(site.dataSource);
      assert.equal(await site.dataSource.getRepository(User).count(), 3);
    });
  });

  describe("uploading", () => {
    it("takes a plain form without a script, goes back to the page and says once what was done", async () => {
      const response = await alice.post("/submissions", uploadForm([new File(["%PDF"], "plain.pdf")], "A plain form"));
      assert.equal(response.status, 303);
      assert.equal(response.headers.get("location"), "/");
      const page = await alice.page("/");
      assert.match(page, /Uploaded plain\.pdf\./);
      assert.match(page, /A plain form/);
      assert.doesNotMatch(await alice.page("/"), /Uploaded plain\.pdf\./);
    });

    it("makes a row of each file of one form, described by its name where nothing was written", async () => {
      const files = [new File(["1"], "one.txt"), new File(["2"], "two.txt")];
      await alice.post("/submissions", uploadForm(files));
      const page = await alice.page("/");
      assert.match(page, /<p class="description">one\.txt<\/p>[\s\S]*<time datetime="\d{4}-\d\d-\d\dT[^"]+Z">/);
      assert.match(page, /<p class="description">two\.txt<\/p>/);
    });

    it("answers the page's script with JSON", async () => {
      const form = uploadForm([new File(["%PDF"], "scripted.pdf")]);
      const response = await alice.post("/downloads", form, { accept: "application/json" });
      assert.equal(response.status, 201);
      assert.deepEqual(await response.json(), { message: "Uploaded scripted.pdf." });
      const refused = await alice.post("/downloads", uploadForm([]), { accept: "application/json" });
      assert.equal(refused.status, 400);
      assert.deepEqual(await refused.json(), { message: "Choose a file first." });
    });

    it("answers 400 for a form that it can't use, and keeps nothing of it", async () => {
      const rows = site.dataSource.getRepository(FileSubmission);
      const count = await rows.count();
      const file = new File(["x"], "x.txt");
      const fileAsText = new FormData();
      fileAsText.append("file", JSON.stringify({ filepath: "/etc/hostname", originalFilename: "x.txt", size: 1 }));
      const forms = [
        uploadForm([]),
        uploadForm([file], "d".repeat(201)),
        uploadForm([new File(["x"], `${"n".repeat(256)}.txt`)]),
        uploadForm([new File(["x"], "nul\0.txt")]),
        uploadForm(Array.from({ length: 21 }, () => file)),
        fileAsText,
        new URLSearchParams({ file: "x.txt" }),
      ];
      for (const form of forms) {
        const response = await alice.post("/submissions", form);
        assert.ok(response.status === 400 || response.status === 413, `${response.status}`);
        await response.text();
      }
      assert.equal(await rows.count(), count);
    });

    it("keeps nothing of a form that it refuses, nor a file in a field of another name", async () => {
      const count = await stored();
      const misnamed = uploadForm([]);
      misnamed.append("fiel", new File(["x"], "x.txt"));
      const file = new File([Buffer.alloc(4_000_000)], "x.txt");
      const forms: [FormData, number, RegExp][] = [
        [misnamed, 400, /did not arrive whole/],
        [uploadForm([new File(["x"], "x.txt")], "d".repeat(201)), 400, /at most 200 characters/],
        [uploadForm([file, new File(["<html>"], "page.html")]), 415, /page\.html is of another type/],
        [
          uploadForm([...Array.from({ length: 2000 }, () => new File(["x"], "x.txt")), file, file]),
          413,
          /At most 20 files/,
        ],
      ];
      for (const [form, status, text] of forms) {
        const response = await alice.post("/submissions", form);
        assert.equal(response.status, status);
        assert.match(await response.text(), text);
      }
      await eventually(async () => assert.equal(await stored(), count));
    });

    it("shows a refused form again, with the reason at the field and what was typed", async () => {
      const response = await alice.post("/submissions", uploadForm([new File(["<html>"], "a.html")], 'The "page" <b>'));
      assert.equal(response.status, 415);
      const page = await response.text();
      assert.match(page, /id="submission-problem" role="alert">a\.html is of another type/);
      assert.match(page, /value="The &#34;page&#34; &#60;b&#62;"/);
      assert.match(
        page,
        /accept="image\/\*[^>]* aria-invalid="true" aria-errormessage="submission-problem" autofocus>/,
      );
      assert.doesNotMatch(page, /download-problem/);
      const long = await alice.post("/downloads", uploadForm([new File(["x"], "x.txt")], "d".repeat(201)));
      assert.match(await long.text(), /value="d{201}"[^>]*aria-invalid="true" aria-errormessage="download-problem"/);
    });

    it("answers 403 to a visitor who is not signed in, before it reads the file", async () => {
      const response = await new Visitor(site.url).post("/submissions", uploadForm([new File(["x"], "x.txt")]));
      assert.equal(response.status, 403);
      assert.match(await response.text(), /Sign in first/);
    });

    it("shows names and descriptions as text, whatever they contain", async () => {
      const name = `<img src=x onerror="alert(1)">&'.svg`;
      await alice.post("/downloads", uploadForm([new File(["<svg/>"], name)], `"><script>alert(2)</script>\0`));
      const page = await alice.page("/");
      assert.doesNotMatch(page, /<img src=x|<script>/);
      assert.match(page, /&#60;img src=x onerror=&#34;alert\(1\)&#34;&#62;&#38;&#39;\.svg/);
      assert.match(page, /&#34;&#62;&#60;script&#62;alert\(2\)&#60;\/script&#62;/);
    });
  });

  describe("a submission", () => {
    const bytes = Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(300_000)]);
    let link: string;

    before(async () => {
      link = await upload(alice, "/submissions", new File([bytes], "Jahresabschluß 2026.pdf"), "The year");
    });

    it("reaches its owner as an attachment of the name and the bytes that were uploaded", async () => {
      const response = await alice.get(link);
      assert.equal(response.status, 200);
      const disposition = response.headers.get("content-disposition") ?? "";
      assert.match(disposition, /^attachment; .*filename\*=UTF-8''Jahresabschlu%C3%9F%202026\.pdf/);
      assert.equal(response.headers.get("content-type"), "application/pdf");
      assert.ok(bytes.equals(Buffer.from(await response.arrayBuffer())), "other bytes came back");
    });

    it("is listed for another person, who gets a page with 403 in its place", async () => {
      const home = await bob.page("/");
      assert.ok(privateLinks(home).includes(link));
      assert.match(home, /only Alice/);
      const response = await bob.get(link, { accept: "text/html" });
      assert.equal(response.status, 403);
      assert.match(response.headers.get("content-security-policy") ?? "", /style-src 'self'/);
      assert.match(response.headers.get("cache-control") ?? "", /no-store/);
      assert.equal(response.headers.get("referrer-policy"), "same-origin"); // else browsers send its forms without an origin
      const page = await response.text();
      assert.match(page, /You may not open this/);
      assert.match(page, /You are signed in as Bob/);
    });

    it("answers 403 with a way to sign in to a visitor who is nobody yet", async () => {
      const response = await new Visitor(site.url).get(link, { accept: "text/html" });
      assert.equal(response.status, 403);
      const page = await response.text();
      assert.match(page, /You are not signed in/);
      assert.ok(page.includes(`href="/sign-in?to=${encodeURIComponent(link)}"`));
    });
  });

  describe("the owner of a submission", () => {
    const png = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
      "base64",
    );

    it("sees a preview of an image, as nobody else does", async () => {
      await alice.post("/submissions", uploadForm([new File([png], "dot.png")]));
      const [, preview] = /src="(\/submissions\/\d+\/preview)"/.exec(await alice.page("/")) ?? [];
      const response = await alice.get(preview!);
      assert.deepEqual([response.status, response.headers.get("content-type")], [200, "image/png"]);
      assert.match(response.headers.get("content-disposition")!, /^inline/);
      assert.doesNotMatch(await bob.page("/"), /\/preview"/);
      for (const visitor of [bob, new Visitor(site.url)]) assert.equal((await visitor.get(preview!)).status, 403);
      for (const id of ["0", "x", "999999999999", "-1"]) {
        assert.equal((await alice.get(`/submissions/${id}/preview`)).status, 404);
      }
    });

    it("replaces the file, and deletes it, as nobody else can", async () => {
      const link = await upload(alice, "/submissions", new File(["old"], "old.txt"));
      const id = link.split("/").at(-2);
      const count = await stored();
      const form = () => uploadForm([new File(["new"], "new.txt")]);
      for (const [visitor, status] of [
        [bob, 403],
        [new Visitor(site.url), 403],
      ] as const) {
        assert.equal((await visitor.post(`/submissions/${id}/replace`, form())).status, status);
        assert.equal((await visitor.post(`/submissions/${id}/delete`, new URLSearchParams())).status, status);
      }
      const refused = await alice.post(`/submissions/${id}/replace`, uploadForm([new File(["<html>"], "a.html")]));
      assert.equal(refused.status, 415);
      assert.equal(await (await alice.get(link)).text(), "old");
      assert.equal((await alice.post(`/submissions/${id}/replace`, form())).status, 303);
      assert.match(await alice.page("/"), /old\.txt is now new\.txt\./);
      const replaced = privateLinks(await alice.page("/")).find((path) => path.includes(`/${id}/`));
      assert.equal(await (await alice.get(replaced!)).text(), "new");
      await eventually(async () => assert.equal(await stored(), count));
      assert.equal((await alice.post(`/submissions/${id}/delete`, new URLSearchParams())).status, 303);
      assert.equal((await alice.get(replaced!)).status, 404);
      await eventually(async () => assert.equal(await stored(), count - 1));
    });
  });

  describe("a download for everyone", () => {
    async function count(link: string): Promise<number> {
      const id = Number(link.split("/").at(-2));
      const row = await site.dataSource.getRepository(CountedDownload).findOneByOrFail({ id });
      return row.downloads;
    }

    it("reaches whoever is signed in, and counts each time", async () => {
      const link = await upload(alice, "/downloads", new File(["handbook"], "handbook.txt"));
      for (const visitor of [alice, bob, bob]) assert.equal(await (await visitor.get(link)).text(), "handbook");
      assert.match(await bob.page("/"), /3 downloads/);
    });

    it("counts nothing for a visitor who is nobody yet, nor for who only asks what it is", async () => {
      const link = await upload(alice, "/downloads", new File(["guide"], "guide.txt"));
      assert.equal((await new Visitor(site.url).get(link)).status, 403);
      assert.equal((await bob.head(link)).headers.get("content-length"), "5");
      assert.equal(await count(link), 0);
    });

    it("counts every one of many at once", async () => {
      const link = await upload(alice, "/downloads", new File(["busy"], "busy.txt"));
      await Promise.all(Array.from({ length: 25 }, async () => (await bob.get(link)).text()));
      assert.equal(await count(link), 25);
    });
  });

  describe("what is refused", () => {
    it("answers 404 with a page for links that lead nowhere", async () => {
      const paths = [
        "/nothing",
        "/private-files/file-submission/uploaded-file/999/x.pdf",
        "/private-files/no/such/1/x",
      ];
      for (const path of paths) {
        const response = await alice.get(path, { accept: "text/html" });
        assert.equal(response.status, 404, path);
        assert.match(await response.text(), /There is nothing here/);
      }
    });

    it("answers 403 to forms that another site sent", async () => {
      const rows = site.dataSource.getRepository(CountedDownload);
      const before = await rows.count();
      const crossSite: Record<string, string>[] = [
        { origin: "https://elsewhere.example" },
        { origin: "null" },
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site" },
      ];
      for (const headers of crossSite) {
        const form = uploadForm([new File(["x"], "x.txt")]);
        const response = await alice.post("/downloads", form, headers);
        assert.equal(response.status, 403);
        assert.match(await response.text(), /from another site/);
      }
      assert.equal(await rows.count(), before);
    });

    it("sends every page with a policy that lets only the site's own files load", async () => {
      for (const path of ["/sign-in", "/", "/nothing", "/site.css"]) {
        const response = await alice.get(path, { accept: "text/html" });
        assert.match(response.headers.get("content-security-policy") ?? "", /^default-src 'none'; script-src 'self'/);
        assert.equal(response.headers.get("x-content-type-options"), "nosniff");
        await response.text();
      }
    });
  });

  it("logs none of these refusals as a failure", () => {
    assert.deepEqual(site.failures, []);
  });
});

describe("the example site when its database fails", () => {
  it("answers 500 with a page that says nothing of why, and logs the cause", async () => {
    const site = await startSite();
    try {
      const alice = await new Visitor(site.url).signIn("Alice");
      await site.dataSource.query("DROP TABLE counted_download");
      const response = await alice.get("/", { accept: "text/html" });
      assert.equal(response.status, 500);
      const page = await response.text();
      assert.match(page, /Something broke/);
      assert.doesNotMatch(page, /counted_download|SELECT|Error/);
      assert.match(String(site.failures[0]), /no such table/);
    } finally {
      await site.stop();
    }
  });
});
