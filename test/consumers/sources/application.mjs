import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import Koa from "koa";
import { DataSource, EntitySchema, EventSubscriber } from "typeorm";
import { DiskStorage, PrivateFiles, privateFileColumn } from "typeorm-private-files";

const Report = new EntitySchema({
  name: "Report",
  columns: {
    id: { type: Number, primary: true, generated: true },
    owner: { type: String },
    downloads: { type: Number, default: 0 },
    scan: privateFileColumn({
      uploadTo: "reports/%Y",
      condition: (ctx, report) => ctx.state.user != null && report.owner === ctx.state.user,
    }),
  },
});

class Downloads {
  listenTo() {
    return "Report";
  }
  async beforeDownload({ manager, entity }) {
    await manager.increment(Report, { id: entity.id }, "downloads", 1);
  }
}
EventSubscriber()(Downloads);

/** What `application.ts` does, without decorators. */
async function use() {
  const folder = await mkdtemp(join(tmpdir(), "consumer-"));
  const dataSource = new DataSource({ type: "sqljs", entities: [Report], subscribers: [Downloads], synchronize: true });
  await dataSource.initialize();
  const { manager } = dataSource;
  const files = new PrivateFiles(dataSource, { storage: new DiskStorage(folder) });
  const report = manager.create(Report, { owner: "ada" });
  for (const name of ["first", "second"]) {
    await files.attach(report, "scan", Buffer.from(name), { filename: `${name}.pdf` });
    await manager.save(Report, report);
  }

  const app = new Koa();
  app.use((ctx, next) => {
    if (ctx.query.user) ctx.state.user = ctx.query.user;
    return next();
  });
  app.use(files.routes());
  const server = app.listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const address = `http://127.0.0.1:${server.address().port}${files.url(report, "scan")}`;
  try {
    const allowed = await fetch(`${address}?user=ada`);
    const denied = await fetch(address);
    return {
      owner: [allowed.status, await allowed.text()],
      nobody: [denied.status, await denied.text()],
      downloads: (await manager.findOneByOrFail(Report, { id: report.id })).downloads,
      stored: (await readdir(folder, { recursive: true }))
        .filter((name) => name.endsWith(".pdf"))
        .map((path) => basename(path))
        .sort(),
    };
  } finally {
    server.closeAllConnections();
    server.close();
    await dataSource.destroy();
    await rm(folder, { recursive: true });
  }
}

void use().then((answers) => console.log(JSON.stringify(answers)));
