import assert from "node:assert/strict";
import { Column, Entity, ManyToOne, PrimaryColumn, PrimaryGeneratedColumn, type Relation } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";
import { describeOnEachDatabase } from "../support/databases.js";
import { after, before, it, type TestContext } from "../support/suite.js";

const everybody = { nullable: true, condition: () => true };

@Entity()
class Report {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: "x" }) password!: string;
  @PrivateFileColumn(everybody) file!: PrivateFile | null;
}

@Entity()
class Sheet {
  @PrimaryGeneratedColumn("uuid") id!: string;
  @PrivateFileColumn(everybody) file!: PrivateFile | null;
}

@Entity()
class Page {
  @PrimaryColumn({ length: 40 }) slug!: string;
  @PrimaryColumn({ type: "bigint" }) revision!: string;
  @PrivateFileColumn(everybody) file!: PrivateFile | null;
}

@Entity()
class Cover {
  @ManyToOne(() => Report, { eager: false }) report!: Relation<Report>;
  @PrimaryColumn() reportId!: number;
  @PrivateFileColumn(everybody) file!: PrivateFile | null;
}

@Entity()
class Label {
  @PrimaryColumn({ length: 40 }) text!: string;
  @PrivateFileColumn(everybody) file!: PrivateFile | null;
}

/** No data source knows it: it was never registered. */
@Entity()
class Stranger {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn(everybody) file!: PrivateFile | null;
}

const entities = [Label, Report, Sheet, Page, Cover];
const uuid = "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b";

describeOnEachDatabase("a URL", (database) => {
  let application: Application;
  let saved: Awaited<ReturnType<typeof saveAll>>;
  before(async () => {
    application = await startApplication({ database, entities });
    saved = await saveAll(application);
  });
  after(() => application.close());

  it("is found for keys that are integers, uuids, texts, several columns and relations", async () => {
    const urls = saved.map((entity) => application.files.url(entity, "file"));
    assert.deepEqual(urls, [
      "/private-files/report/file/1/r.txt",
      `/private-files/sheet/file/${uuid}/s.txt`,
      "/private-files/page/file/a%20%C3%A9%2Fb%28c%29/9007199254740991/p.txt",
      "/private-files/cover/file/1/c.txt",
    ]);
    for (const url of urls) assert.equal((await application.get(url)).status, 200, url);
  });

  it("is found however much of it is encoded, as proxies decode and encode what they pass on", async () => {
    const page = "/private-files/page/file";
    const spellings = {
      "r.txt": [
        "/private-files/report/file/%31/r.txt",
        "/private-files/report/file/1/%72.txt",
        "/private-files/report/file/1/r%2Etxt",
        "/private-files/report/%66ile/1/r.txt",
        "/private-files/%72eport/file/1/r.txt",
      ],
      "p.txt": [
        `${page}/a%20%c3%a9%2fb%28c%29/9007199254740991/p.txt`,
        `${page}/a%20%C3%A9%2Fb(c)/9007199254740991/p.txt`,
        `${page}/%61%20%C3%A9%2F%62%28%63%29/%39007199254740991/%70.txt`,
      ],
    };
    for (const [name, paths] of Object.entries(spellings)) {
      for (const path of paths) {
        const { status, body } = await application.get(path);
        assert.deepEqual([status, body.toString()], [200, name], path);
      }
    }
  });

  it("is 404 where it is cased or written in another way, or is no text, without asking the database", async (t) => {
    forbidQueries(t, application);
    const others = [
      ...[
        "/private-files/Report/file/1/r.txt",
        "/private-files/report/File/1/r.txt",
        "//private-files/report/file/1/r.txt",
        "/private-files//report/file/1/r.txt",
      ],
      ...[
        "/private-files/report/file/1/r.txt/",
        "/private-files/report/file//1/r.txt",
        "/private-files/report/file/1//r.txt",
        "/private-files/report%2Ffile/1/r.txt",
        "/private-files/report%2Ffile/file/1/r.txt",
        "/private-files/report/file%2F1/r.txt",
        "/private-files/report/file/1%2Fr.txt",
      ],
      ...["/private-files/report/file/1", "/private-files/report/file/1/", "/private-files/report/file/1/2/r.txt"],
      "/PRIVATE-FILES/report/file/1/r.txt",
      ...["/private-files/report/file/%2531/r.txt", "/private-files/report/file/%2B1/r.txt"],
      ...[
        "/private-files/report/%ff/1/r.txt",
        "/private-files/report/file/1/%ff",
        "/private-files/report/file/1/%",
        "/private-files/report/file/%E0%A4%A/r.txt",
        "/private-files/report/file/%C0%B1/r.txt",
      ],
    ];
    for (const path of others) assert.equal((await application.get(path)).status, 404, path);
  });

  it("names nothing but private file columns: 404 without asking the database", async (t) => {
    forbidQueries(t, application);
    const entityNames = [
      "report",
      "cover",
      "stranger",
      "private-file",
      "report-metadata",
      "__proto__",
      "constructor",
      "prototype",
      "toString",
      "hasOwnProperty",
      "valueOf",
    ];
    const properties = [
      "password",
      "id",
      "report",
      "report-id",
      "stray",
      "__proto__",
      "constructor",
      "prototype",
      "toString",
      "hasOwnProperty",
      "valueOf",
    ];
    for (const name of entityNames) {
      for (const property of properties) {
        assert.equal(
          (await application.get(`/private-files/${name}/${property}/1/r.txt`)).status,
          404,
          `${name}/${property}`,
        );
      }
    }
  });

  const integers = [
    "%201",
    "1%20",
    "01",
    "+1",
    "-0",
    "1.0",
    "1e0",
    "1%00",
    "0x1",
    "",
    "undefined",
    "null",
    "NaN",
    "1%2C2",
    "%7B%7D",
    "%5B%5D",
    "%5B1%2C2%5D",
    "%7B%22_type%22%3A%22not%22%2C%22_value%22%3A1%7D",
    "*",
  ];
  for (const value of [...integers, "99999999999999999999", "9223372036854775808", "%D9%A1"]) {
    it(`with the integer ${JSON.stringify(value)} is 404, without asking the database`, async (t) => {
      forbidQueries(t, application);
      assert.equal((await application.get(`/private-files/report/file/${value}/r.txt`)).status, 404);
    });
  }

  for (const value of ["2147483647", "-1", "0", "2147483648", "-2147483649", "9223372036854775807"]) {
    it(`with the integer ${value}, of no row or out of the column's range, is 404`, async () => {
      assert.equal((await application.get(`/private-files/report/file/${value}/r.txt`)).status, 404);
      assert.deepEqual(
        application.errors.filter((error) => (error as { status?: number }).status !== 404),
        [],
      );
    });
  }

  for (const value of [uuid.toUpperCase(), `{${uuid}}`, uuid.replaceAll("-", ""), `${uuid}%20`, "x", "1"]) {
    it(`with the uuid ${value} is 404`, async () => {
      const answer = await application.get(
        `/private-files/sheet/file/${encodeURIComponent(decodeURIComponent(value))}/s.txt`,
      );
      assert.equal(answer.status, 404);
    });
  }

  it("with a text that looks like a find operator is compared as that text: 404", async () => {
    for (const text of [
      '{"_type":"not","_value":1}',
      "[object Object]",
      "%",
      "_",
      "' OR '1'='1",
      "undefined",
      "null",
    ]) {
      const segment = encodeURIComponent(text).replaceAll("'", "%27");
      for (const path of [`label/file/${segment}/l.txt`, `page/file/${segment}/9007199254740991/p.txt`]) {
        assert.equal((await application.get(`/private-files/${path}`)).status, 404, path);
      }
    }
    assert.deepEqual(
      application.errors.filter((error) => (error as { status?: number }).status !== 404),
      [],
    );
  });

  it("with a text that a collation takes for another is 404", async () => {
    for (const text of ["A é/b(c)", "a e/b(c)", "a é/b(c) ", "a e\u0301/b(c)", "a é/b(c)\0"]) {
      const segment = encodeURIComponent(text).replaceAll("(", "%28").replaceAll(")", "%29");
      const { status } = await application.get(`/private-files/page/file/${segment}/9007199254740991/p.txt`);
      assert.equal(status, 404, JSON.stringify(text));
    }
  });

  it("with the parts of a key missing, swapped or too many is 404", async () => {
    const slug = "a%20%C3%A9%2Fb%28c%29";
    for (const key of [slug, `9007199254740991/${slug}`, `${slug}/9007199254740991/1`, `${slug}/9007199254740990`]) {
      assert.equal((await application.get(`/private-files/page/file/${key}/p.txt`)).status, 404, key);
    }
  });

  const names = [
    "R.txt",
    "r.txt%20",
    "r.txt.",
    "%2Fr.txt",
    "..%2Fr.txt",
    "%2572.txt",
    "r.txt%00",
    "other.txt",
    "r.txt;a",
    "s.txt",
  ];
  for (const name of names) {
    it(`that ends with ${name} in place of the file's name is 404`, async () => {
      assert.equal((await application.get(`/private-files/report/file/1/${name}`)).status, 404);
    });
  }

  it("with characters that the column's character set lacks is 404", async () => {
    if (database.name === "MariaDB") {
      await application.dataSource.query("ALTER TABLE label MODIFY text varchar(40) CHARACTER SET latin1 NOT NULL");
    }
    for (const text of ["%E6%97%A5%E6%9C%AC", "%F0%9F%98%80"]) {
      assert.equal((await application.get(`/private-files/label/file/${text}/l.txt`)).status, 404);
    }
    assert.deepEqual(
      application.errors.filter((error) => (error as { status?: number }).status !== 404),
      [],
    );
  });

  it("ignores a query string, be it one of arrays and objects", async () => {
    const queries = [
      "id=2&entity=user&id=3",
      "id[]=2&id[$ne]=1&0=cover&property=password",
      "__proto__[id]=2&captures[]=x",
    ];
    for (const query of queries) {
      const answer = await application.get(`/private-files/report/file/1/r.txt?${query}`);
      assert.deepEqual([answer.status, answer.body.toString()], [200, "r.txt"], query);
    }
  });

  it("can't be had for an entity that is not saved, has no file, or is not registered", async () => {
    const { files, dataSource } = application;
    const report = dataSource.manager.create(Report, {});
    assert.throws(
      () => files.url(report, "file"),
      /^PrivateFileError: Report\.file: there is no file\. Attach one, and save the entity\.$/,
    );
    await files.attach(report, "file", Buffer.from("x"));
    assert.throws(
      () => files.url(report, "file"),
      /^PrivateFileError: Report\.file: the file is attached, but not saved\. Save the entity first\.$/,
    );
    assert.throws(
      () => files.url(new Stranger(), "file"),
      /Stranger\.file: it is not a private file column\. Declare it with @PrivateFileColumn, and add the entity to the data source\./,
    );
  });
});

function forbidQueries(t: TestContext, { dataSource }: Application): void {
  t.mock.method(dataSource.manager, "createQueryBuilder", () => assert.fail("the database was asked"));
}

async function saveAll({ dataSource, files }: Application) {
  const { manager } = dataSource;
  const saved = [
    manager.create(Report, {}),
    manager.create(Sheet, { id: uuid }),
    manager.create(Page, { slug: "a é/b(c)", revision: "9007199254740991" }),
    manager.create(Cover, { reportId: 1 }),
  ];
  for (const entity of saved) {
    const name = `${entity.constructor.name[0]!.toLowerCase()}.txt`;
    await files.attach(entity, "file", Buffer.from(name), { filename: name });
    await manager.save(entity);
  }
  return saved;
}
