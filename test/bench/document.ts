import { Column, type DataSource, Entity, PrimaryGeneratedColumn } from "typeorm";
import {
  type BeforeDownloadEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  type PrivateFiles,
  type UploadSource,
} from "typeorm-private-files";

/** The entity of the measured application. */
@Entity()
export class Document {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  /** The name of the only user who may read it. */
  @Column() owner!: string;

  @PrivateFileColumn<Document>({
    uploadTo: "documents",
    condition: (ctx, document) => document.owner === ctx.state.user?.name,
  })
  file!: PrivateFile;
}

/** Counts downloads in memory: a counter in the database would be the application's own cost. */
export class DownloadCounter implements PrivateFileSubscriber<Document> {
  readonly downloads = new Map<number, number>();

  listenTo() {
    return Document;
  }

  async beforeDownload({ entity, begins }: BeforeDownloadEvent<Document>): Promise<void> {
    if (begins) this.downloads.set(entity.id, (this.downloads.get(entity.id) ?? 0) + 1);
  }
}

/** The model of the measured application. */
export const model = { entities: [Document], subscribers: [DownloadCounter] };

/** Saves a document of Alice, and gives the URL of its file. */
export async function saveDocument(files: PrivateFiles, title: string, content: UploadSource): Promise<string> {
  const { manager } = files.dataSource;
  const document = manager.create(Document, { title, owner: "alice" });
  await files.attach(document, "file", content, { filename: `${title}.bin` });
  return files.url(await manager.save(document), "file");
}

/** Inserts documents without files, which are never requested, in one statement. */
export async function insertOthers(dataSource: DataSource, count: number): Promise<void> {
  await dataSource.query(
    `WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${count})
     INSERT INTO document (title, owner, file) SELECT 'Other ' || n, 'alice', 'documents/' || n || '/other.bin' FROM counted`,
  );
}
