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

    it("leaves no temporary file behind, whether the form was taken or refused", async () => {
      await alice.post("/submissions", uploadForm([new File(["x"], "taken.txt")]));
      await alice.post("/submissions", uploadForm([new File(["x"], "refused.txt")], "d".repeat(201)));
      await eventually(async () => assert.deepEqual(await readdir(site.incomingRoot), []));
    });

    it("answers 413 to more than 20 files, though most of the form is still to come, and keeps none", async () => {
      const file = new File([Buffer.alloc(4_000_000)], "x.txt");
      const form = uploadForm([...Array.from({ length: 2000 }, () => new File(["x"], "x.txt")), file, file]);
      const response = await alice.post("/submissions", form);
      assert.equal(response.status, 413);
      assert.match(await response.text(), /At most 20 files/);
      await eventually(async () => assert.deepEqual(await readdir(site.incomingRoot), []));
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
    const bytes = randomBytes(300_000);
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
      assert.match(page, /href="\/sign-in"/);
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
