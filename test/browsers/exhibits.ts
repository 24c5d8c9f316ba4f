import { setTimeout as sleep } from "node:timers/promises";
import { Column, Entity, EventSubscriber, PrimaryGeneratedColumn } from "typeorm";
import {
  type AfterDownloadEvent,
  type BeforeDownloadEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
} from "typeorm-private-files";
import { changeOpened, startApplication } from "../support/application.js";

const shown = { nullable: true, attachment: false, condition: () => true };

@Entity()
class Exhibit {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: String, nullable: true }) name!: string | null;
  @PrivateFileColumn<Exhibit>({ nullable: true, condition: () => true, fields: { name: "name" } })
  saved!: PrivateFile | null;
  @PrivateFileColumn(shown) shown!: PrivateFile | null;
  @PrivateFileColumn({ ...shown, charset: "windows-1252" }) western!: PrivateFile | null;
  @PrivateFileColumn({ ...shown, charset: "Shift_JIS" }) japanese!: PrivateFile | null;
  @PrivateFileColumn({ ...shown, charset: null }) unknown!: PrivateFile | null;
}

/** How a file is sent: to be saved, or to be shown, if it is a text, in one charset or another. */
export type SentAs = "saved" | "shown" | "western" | "japanese" | "unknown";

/** A site with files, and a page that holds whatever its address says. */
export interface ExhibitSite {
  /** The responses that were announced, and those that are over, since {@link forget}. */
  announced: BeforeDownloadEvent[];
  sent: AfterDownloadEvent[];
  forget(): void;
  /** Adds a file, and gives its address. */
  add(column: SentAs, filename: string, bytes: Buffer): Promise<string>;
  /** The address of a page with this in its body. */
  pageWith(html?: string): string;
  close(): Promise<void>;
}

const announced: BeforeDownloadEvent[] = [];
const sent: AfterDownloadEvent[] = [];

@EventSubscriber()
class Attendant implements PrivateFileSubscriber {
  beforeDownload(event: BeforeDownloadEvent) {
    announced.push(event);
  }
  afterDownload(event: AfterDownloadEvent) {
    sent.push(event);
  }
}

/** As over a line: on loopback alone, a browser that is held up for a moment has loaded a whole film before it seeks in it. */
const BYTES_PER_MILLISECOND = 10_000;

/** Starts the site on loopback. */
export async function startExhibitSite(): Promise<ExhibitSite> {
  const application = await startApplication({
    entities: [Exhibit],
    subscribers: [Attendant],
    before: (app) =>
      app.use(async (ctx, next) => {
        if (ctx.path !== "/page") await next();
        else ctx.body = `<!doctype html><body>${ctx.query.html}</body>`;
      }),
  });
  const { port, dataSource, files, close } = application;
  changeOpened(application, (object) => ({
    async read(buffer, position) {
      await sleep(buffer.length / BYTES_PER_MILLISECOND);
      return object.read(buffer, position);
    },
  }));
  const origin = `http://127.0.0.1:${port}`;
  return {
    ...{ announced, sent, close },
    forget() {
      announced.length = sent.length = 0;
    },
    async add(column, filename, bytes) {
      const exhibit = dataSource.manager.create(Exhibit, {});
      await files.attach(exhibit, column, bytes, { filename });
      await dataSource.manager.save(exhibit);
      return origin + files.url(exhibit, column);
    },
    pageWith: (html = "") => `${origin}/page?html=${encodeURIComponent(html)}`,
  };
}
