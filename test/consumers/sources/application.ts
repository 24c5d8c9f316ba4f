import { mkdtemp, readdir, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import Koa from "koa";
import { Column, DataSource, Entity, EventSubscriber, ManyToOne, PrimaryGeneratedColumn, type Relation } from "typeorm";
import {
  type BeforeDownloadEvent,
  DiskStorage,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  PrivateFiles,
} from "typeorm-private-files";

@Entity()
class Owner {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: String }) name!: string;
}

abstract class Numbered {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn<Numbered>({ nullable: true }) appendix!: PrivateFile | null;
}

class Cover {
  @PrivateFileColumn<Cover>({ nullable: true }) image!: PrivateFile | null;
}

@Entity()
class Report extends Numbered {
  @ManyToOne(() => Owner) owner!: Relation<Owner>;
  @Column({ type: Number, default: 0 }) downloads!: number;
  @PrivateFileColumn<Report>({
    uploadTo: "reports/%Y",
    relations: { owner: true },
    condition: (ctx, report) => ctx.state.user != null && report.owner?.name === ctx.state.user,
  })
  scan!: PrivateFile;
  @Column(() => Cover) cover!: Cover;
}

@EventSubscriber()
class Downloads implements PrivateFileSubscriber<Report> {
  listenTo() {
    return Report;
  }
  async beforeDownload({ manager, entity }: BeforeDownloadEvent<Report>) {
    await manager.increment(Report, { id: entity.id }, "downloads", 1);
  }
}

/** Attaches, saves and replaces a file, downloads it over a socket as its owner and as nobody, and says what came of it. */
export async function use() {
  const folder = await mkdtemp(join(tmpdir(), "consumer-"));
  const dataSource = new DataSource({
    type: "sqljs",
    entities: [Owner, Report],
    subscribers: [Downloads],
    synchronize: true,
  });
  await dataSource.initialize();
  const { manager } = dataSource;
  const files = new PrivateFiles(dataSource, { storage: new DiskStorage(folder) });
  const owner = await manager.save(manager.create(Owner, { name: "ada" }));
  const report = manager.create(Report, { owner });
  await files.attach(report, "scan", Buffer.from("first"), { filename: "first.pdf" });
  await files.attach(report, "appendix", Buffer.from("appendix"), { filename: "appendix.pdf" });
  await files.attach(report, "cover.image", Buffer.from("image"), { filename: "cover.pdf" });
  await manager.save(report);
  files.detach(report, "appendix");
  await files.attach(report, "scan", new Uint8Array(Buffer.from("second")), { filename: "second.pdf" });
  await manager.save(report);
  const partial = await manager.findOneOrFail(Report, { where: { id: report.id }, select: { id: true } });
  await manager.save(partial);

  const app = new Koa();
  app.use((ctx, next) => {
    if (ctx.query.user) ctx.state.user = ctx.query.user;
    return next();
  });
  app.use(files.routes());
  const server = app.listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${files.url(report, "scan")}`;
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
