import assert from "node:assert/strict";
import type { Middleware } from "koa";
import { linksByPath } from "../../../docs/examples/django/links-by-path.js";
import { FileSubmission } from "../../../docs/examples/django/models.js";
import { oldLinks } from "../../../docs/examples/django/old-links.js";
import { before, it } from "../../support/suite.js";
import type { DjangoRow } from "./django.js";
import { describeOnRealSites, type RealSite } from "./real-site.js";
import { rowsOf } from "./rows.js";

describeOnRealSites("an old link to a file of a site", (start) => {
  let site: RealSite;

  before(async () => {
    site = await start("all tests", {
      use(files) {
        const submissions = files.dataSource.getRepository(FileSubmission);
        const redirects = [oldLinks().routes(), linksByPath(files, submissions).routes()] as Middleware[];
        return (ctx, next) => redirects[0]!(ctx, () => redirects[1]!(ctx, next) as Promise<void>);
      },
    });
  });

  it("leads the owner to the file, as django-private-files made it, for each name", async () => {
    for (const row of rowsOf(site, "odd", "suffix", "counted")) await assertLeads(row.old_link!, row);
  });

  it("leads the owner to the file of an id above 1,000,000,000", async () => {
    const row = site.rows.find(({ id }) => id === "1234567890")!;
    assert.equal(row.old_link!, "/private_files/app/filesubmission/uploaded_file/1234567890/above%20a%20milliard.pdf");
    await assertLeads(row.old_link!, row);
  });

  it("answers a stranger alike whether the row is there or not, its file or not, its name or not", async () => {
    const row = site.rows.find(({ kind }) => kind === "suffix")!;
    const statuses: unknown[] = [];
    for (const [id, name] of [
      [row.id, "report.pdf"],
      [row.id, "other.pdf"],
      ["99999", "report.pdf"],
    ]) {
      const { status, headers } = await site.get(`/private_files/app/filesubmission/uploaded_file/${id}/${name}`);
      statuses.push([status, headers.location?.replace(`${id}/${name}`, "")]);
    }
    const alike = [302, "/private-files/file-submission/uploaded-file/"];
    assert.deepEqual(statuses, [alike, alike, alike]);
  });

  it("is 404 for a model, a field or a form that had none, and never leads to another site", async () => {
    for (const link of [
      "/private_files/app/filesubmission/owner/1/report.pdf",
      "/private_files/auth/user/password/1/x",
      "/private_files/app/filesubmission/uploaded_file/1",
      "/private_files/app/filesubmission/uploaded_file/1/a/b",
      "/private_files/app/__proto__/constructor/1/x",
    ]) {
      assert.equal((await site.get(link, { as: "alice" })).status, 404, link);
    }
    for (const id of ["%2F%2Fexample.org", "..", "%2e%2e", "%5C%5Cexample.org", "%zz", "%00", "1%0D%0AX:1"]) {
      const { status, headers } = await site.get(`/private_files/app/filesubmission/uploaded_file/${id}/x.pdf`);
      if (status === 302)
        assert.match(headers.location!, /^\/private-files\/file-submission\/uploaded-file\/[^/]*\/x\.pdf$/);
      else assert.equal(status, 404, id);
    }
  });

  it("by path leads the owner to the file, for each name", async () => {
    for (const row of rowsOf(site, "odd", "suffix")) await assertLeads(row.link_by_path!, row);
  });

  it("by path answers a stranger alike whether the file is there or not", async () => {
    for (const row of rowsOf(site, "odd", "suffix")) {
      for (const as of [undefined, row.owner === "alice" ? "bob" : "alice"]) {
        const there = await site.get(row.link_by_path!, { as });
        const missing = await site.get(`${row.link_by_path!}x`, { as });
        assert.deepEqual([there.status, there.body, there.headers.location], [404, missing.body, undefined]);
        assert.equal(missing.status, 404);
      }
    }
  });

  it("by path is 404 where the path names no file", async () => {
    for (const path of ["", "uploads/", "uploads/%00", "%zz", "uploads/..%2F..%2Fetc%2Fpasswd", "'", "%F0%9F", "%25"]) {
      assert.equal((await site.get(`/media/${path}`, { as: "alice" })).status, 404, path);
    }
  });

  async function assertLeads(link: string, row: DjangoRow): Promise<void> {
    const as = row.owner ?? "bob";
    const { status, headers } = await site.get(link, { as });
    assert.equal(status, 302, link);
    const answer = await site.get(headers.location!, { as });
    assert.deepEqual([answer.status, answer.body.length], [200, row.size], headers.location);
    const refused = await site.get(headers.location!, { as: row.owner === "alice" ? "bob" : undefined });
    assert.equal(refused.status, 403, link);
  }
});
