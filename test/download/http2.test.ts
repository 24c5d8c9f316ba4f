import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { type Application, startApplication } from "../support/application.js";

@Entity()
class Film {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ condition: () => true }) file!: PrivateFile;
}

const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 253));

describe("a download over HTTP/2", () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  let application: Application;
  let server: ReturnType<typeof createServer>;
  let client: ReturnType<typeof connect>;
  let url: string;

  before(async () => {
    process.on("warning", note);
    application = await startApplication({ entities: [Film] });
    const film = new Film();
    await application.files.attach(film, "file", content, { filename: "a.mp4" });
    await application.dataSource.manager.save(film);
    url = application.files.url(film, "file");
    server = createServer(application.app.callback() as never).listen(0, "127.0.0.1");
    await once(server, "listening");
    client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  after(async () => {
    process.off("warning", note);
    client.close();
    server.close();
    await application.close();
  });

  const rows: [string, OutgoingHttpHeaders, number, number][] = [
    ["a GET", {}, 200, content.length],
    ["a range", { range: "bytes=10-2999998" }, 206, 2_999_989],
    ["a range behind the end", { range: "bytes=9999999-" }, 416, "Range Not Satisfiable".length],
    ["a precondition that fails", { "if-match": '"x"' }, 412, "Precondition Failed".length],
    ["a HEAD", { ":method": "HEAD" }, 200, 0],
    ["a POST", { ":method": "POST" }, 405, "Method Not Allowed".length],
  ];
  for (const [what, headers, status, length] of rows) {
    it(`answers ${status} to ${what}, with its bytes and without a warning`, async () => {
      const stream = client.request({ ":path": url, ...headers });
      stream.end();
      const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      assert.deepEqual([answer[":status"], body.length], [status, length]);
      if (status === 206) assert.ok(body.equals(content.subarray(10, 2_999_999)));
      for (const name of ["connection", "transfer-encoding", "keep-alive"]) assert.equal(answer[name], undefined);
      assert.deepEqual(warnings, []);
    });
  }
});
