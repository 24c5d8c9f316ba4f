import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "content-disposition";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { type Delivery, PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { contentDisposition, downloadName } from "../../src/http/disposition.js";
import { type Application, startApplication } from "../support/application.js";
import { openConnection, readAll } from "../support/connection.js";
import { FILE_NAMES } from "../support/file-names.js";
import { run } from "../support/programs.js";
import { needs, takesLong } from "../support/requirements.js";
import { after, before, describe, it, type TestContext } from "../support/suite.js";

const everybody = { nullable: true, condition: () => true };
/** Hands a file to a server in front of the application: the body is text. */
const elsewhere: Delivery = {
  ranges: false,
  async deliver({ ctx, key }) {
    ctx.set("X-Accel-Redirect", `/protected/${encodeURIComponent(key)}`);
    ctx.body = "";
  },
};

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: "text", nullable: true }) title!: string | null;
  @PrivateFileColumn<Letter>({ ...everybody, filename: nameOf }) named!: PrivateFile | null;
  @PrivateFileColumn<Letter>({ ...everybody, fields: { name: "title" } }) titled!: PrivateFile | null;
  @PrivateFileColumn<Letter>({ ...everybody, filename: nameOf, delivery: elsewhere }) handed!: PrivateFile | null;
}

/** The entity's own name is what the option makes of it; no database has to hold it. */
function nameOf({ id }: Letter): string {
  return FILE_NAMES[id - 1]?.[0] ?? "ä.pdf";
}

const offeredNames = FILE_NAMES.map(([, offered]) => offered);

describe("a file's name, over a socket", () => {
  let application: Application;
  let letters: Letter[];
  let named: string[];

  before(async () => {
    application = await startApplication({ entities: [Letter] });
    letters = await saveAll(application);
    named = letters.map((letter) => application.files.url(letter, "named"));
  });
  after(() => application.close());

  it("is sent in bytes of printable ASCII only, whatever it is, and reads back as what is offered", async (t) => {
    assert.deepEqual((await headersOf(t, application, named)).map(readBack), offeredNames);
  });

  it("is sent likewise when fields.name kept it in the database", async (t) => {
    const urls = letters.map((letter) => application.files.url(letter, "titled"));
    const offered = letters.map(({ title, titled }) => downloadName(title || titled!.name));
    assert.deepEqual((await headersOf(t, application, urls)).map(readBack), offered);
    // Of a name without a visible character, the database keeps nothing, and the key's last segment is what is left.
    const kept = offeredNames.map((name, index) => (letters[index]!.title ? name : offered[index]));
    assert.deepEqual(offered, kept);
  });

  it("is read by Python's http.client and email, both in ASCII and in full", {
    skip: needs("python3"),
  }, async () => {
    const python = await run("python3", "-c", PYTHON, String(application.port), ...named);
    assert.equal(python.code, 0, python.stderr);
    const read = JSON.parse(python.stdout) as [plain: string, full: string][];
    assert.deepEqual(
      read,
      FILE_NAMES.map(([name, offered]) => [plainName(name), offered]),
    );
  });

  it("is read in full by Go's mime.ParseMediaType", { skip: takesLong || needs("go") }, async (t) => {
    const folder = await temporaryFolder(t);
    const headers = await headersOf(t, application, named);
    await writeFile(join(folder, "main.go"), GO);
    await writeFile(join(folder, "headers.json"), JSON.stringify(headers));
    const places = [`GOCACHE=${join(folder, "cache")}`, `GOPATH=${join(folder, "path")}`, "GOTOOLCHAIN=local"];
    const go = await run("env", ...places, "go", "run", join(folder, "main.go"), join(folder, "headers.json"));
    assert.equal(go.code, 0, go.stderr);
    assert.deepEqual(JSON.parse(go.stdout), offeredNames);
  });

  it("is saved in ASCII by curl, which knows no filename*, and nothing but that in its folder", {
    skip: takesLong || needs("curl"),
  }, async (t) => {
    const folder = await temporaryFolder(t);
    const config = named.map(
      (url, index) =>
        `url = "http://127.0.0.1:${application.port}${url}"\noutput-dir = "${join(folder, "a", "b", String(index))}"\n` +
        'noproxy = "*"\nremote-name\nremote-header-name\ncreate-dirs\nfail\nsilent\nshow-error\n',
    );
    await writeFile(join(folder, "config"), config.join("next\n"));
    const curl = await run("curl", "--disable", "--config", join(folder, "config"));
    assert.equal(curl.code, 0, curl.stderr);
    const saved = FILE_NAMES.map(([name], index) => join("a", "b", String(index), plainName(name)));
    assert.deepEqual(await filesIn(folder), ["config", ...saved].sort());
  });

  it("is saved by wget in full, once what looks percent-encoded is decoded, and nothing but that in its folder", {
    skip: takesLong || needs("wget"),
  }, async (t) => {
    const folder = await temporaryFolder(t);
    const options = ["-nv", "--no-config", "--no-proxy", "--content-disposition"];
    for (const [index, url] of named.entries()) {
      const place = join(folder, "a", "b", String(index));
      const address = `http://127.0.0.1:${application.port}${url}`;
      const wget = await run("env", "LC_ALL=C.UTF-8", "wget", ...options, "-P", place, address);
      assert.equal(wget.code, 0, wget.stderr);
    }
    const saved = offeredNames.map((name, index) => join("a", "b", String(index), wgetName(name)));
    assert.deepEqual(await filesIn(folder), saved.sort());
  });
});

describe("the Content-Disposition of one name", () => {
  let application: Application;
  before(async () => {
    application = await startApplication({ entities: [Letter] });
  });
  after(() => application.close());

  const bodies: [what: string, property: "named" | "handed", content: Buffer][] = [
    ["an empty file", "named", Buffer.alloc(0)],
    ["a small file, which is a Buffer", "named", Buffer.from("small")],
    ["a large file, which is a stream", "named", Buffer.alloc(300_000)],
    ["a file handed to another server, whose body is a text", "handed", Buffer.from("small")],
  ];
  for (const [what, property, content] of bodies) {
    it(`has the same bytes for ${what}`, async (t) => {
      const letter = await saveOne(application, property, "x.pdf", content);
      const [header] = await headersOf(t, application, [application.files.url(letter, property)]);
      assert.equal(header, "attachment; filename=\"a.pdf\"; filename*=UTF-8''%C3%A4.pdf");
    });
  }
});

describe("a URL that names another file than the stored one", () => {
  let application: Application;
  let url: string;
  before(async () => {
    application = await startApplication({ entities: [Letter] });
    url = application.files.url(await saveOne(application, "titled", "x.json", Buffer.from("{}")), "titled");
  });
  after(() => application.close());

  const endings = [
    ...["setup.bat", "x.json.bat", "x.bat", "X.json", "x.json/", "x.json/setup.bat", "setup.bat/x.json"],
    ...["x.json;/setup.bat", ";/setup.bat", "x.json;setup.bat", "x.json;a=b", ";x.json", "x.json%3B/setup.bat"],
    ...["x.json%00.bat", "x.json%0A", "x.json%3Ffilename=setup.bat", "x.json%23.bat", "x.json|calc.bat", "x.json&.bat"],
  ];
  for (const ending of endings) {
    it(`is 404 without a Content-Disposition: ${ending}`, async () => {
      const { status, headers } = await application.get(url.replace(/x\.json$/, ending));
      assert.deepEqual([status, headers["content-disposition"]], [404, undefined]);
    });
  }

  const queries = [
    "filename=setup.bat",
    "name=setup.bat&download=setup.bat",
    "/setup.bat",
    ";/setup.bat",
    "a/../x.bat",
  ];
  for (const query of [...queries, "response-content-disposition=attachment%3Bfilename%3Dsetup.bat"]) {
    it(`has no say in a query string: ?${query}`, async () => {
      const { status, headers } = await application.get(`${url}?${query}`);
      assert.deepEqual([status, headers["content-disposition"]], [200, 'attachment; filename="x.json"']);
    });
  }
});

/** An entity for each name. */
async function saveAll({ dataSource, files }: Application): Promise<Letter[]> {
  const letters = FILE_NAMES.map(() => dataSource.manager.create(Letter, {}));
  for (const [index, letter] of letters.entries()) {
    await files.attach(letter, "named", Buffer.from("bytes"), { filename: "download" });
    await files.attach(letter, "titled", Buffer.from("bytes"), { filename: FILE_NAMES[index]![0] });
    await dataSource.manager.save(letter);
  }
  return dataSource.manager.find(Letter, { order: { id: "ASC" } });
}

/** An entity with one file, whose `nameOf` is "ä.pdf". */
async function saveOne(
  { dataSource, files }: Application,
  property: "named" | "handed" | "titled",
  filename: string,
  content: Buffer,
): Promise<Letter> {
  const last = await dataSource.manager.maximum(Letter, "id");
  const letter = dataSource.manager.create(Letter, { id: (last ?? FILE_NAMES.length) + 1 });
  await files.attach(letter, property, content, { filename });
  return dataSource.manager.save(letter);
}

/** The Content-Disposition of each URL, after a look at every byte of the answers that came for them. */
async function headersOf(t: TestContext, { port }: Application, urls: string[]): Promise<string[]> {
  const socket = await openConnection(t, port);
  const request = (method: string, url: string): string => `${method} ${url} HTTP/1.1\r\nHost: x\r\n`;
  const requests = urls.flatMap((url) => [request("HEAD", url), request("GET", url)]);
  socket.write(`${requests.join("\r\n")}Connection: close\r\n\r\n`);
  const received = (await readAll(socket)).toString("latin1");
  const heads = received.match(/(?<=HTTP\/1\.1 )200 OK\r\n.*?\r\n\r\n/gs) ?? [];
  assert.equal(heads.length, urls.length * 2, received.slice(0, 500));
  for (const head of heads) assert.match(head, /^(?:[\x20-\x7e]+\r\n)+\r\n$/);
  const headers = heads.map((head) => /^Content-Disposition: (.*)\r$/m.exec(head)![1]!);
  assert.deepEqual(everySecond(headers, 0), everySecond(headers, 1));
  return everySecond(headers, 1);
}

function everySecond<T>(list: T[], from: number): T[] {
  return list.filter((_, index) => index % 2 === from);
}

function readBack(header: string): string | undefined {
  return parse(header).parameters.filename;
}

/** What `filename` says, for those who do not know `filename*`. */
function plainName(name: string): string {
  return parse(contentDisposition(name, "attachment"), { extended: false }).parameters.filename!;
}

/** wget decodes what `filename*` says twice, encodes what no file name may have, and leaves room for its own suffixes. */
function wgetName(offered: string): string {
  const bytes = Buffer.from(offered).toString("latin1");
  const decoded = bytes.replace(/%(?!00)([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const encoded = decoded.replace(/[^ -.0-\xff]|^\.\.$/g, (unfit) => unfit.replace(/./gs, percentEncoded));
  return Buffer.from(encoded, "latin1").subarray(0, 236).toString();
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "private-files-names-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** `get_filename` takes the first of both, `get_params` has them all. */
const PYTHON = `
import http.client, json, sys
from email.utils import collapse_rfc2231_value
port, *paths = sys.argv[1:]
connection = http.client.HTTPConnection("127.0.0.1", int(port))
read = []
for path in paths:
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    assert response.status == 200, response.status
    full = [value for name, value in response.headers.get_params(header="content-disposition") if name == "filename"][-1]
    read.append([response.headers.get_filename(), collapse_rfc2231_value(full)])
json.dump(read, sys.stdout)
`;

const GO = `
package main

import (
	"encoding/json"
	"mime"
	"os"
)

func main() {
	var headers, names []string
	bytes, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = json.Unmarshal(bytes, &headers)
	}
	for _, header := range headers {
		_, parameters, parseError := mime.ParseMediaType(header)
		if parseError != nil {
			err = parseError
		}
		names = append(names, parameters["filename"])
	}
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(names)
}
`;
