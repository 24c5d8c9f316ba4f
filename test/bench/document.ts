import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import {
  type BeforeDownloadEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
} from "typeorm-private-files";

/** The entity of the measured application. */
@Entity()
export class Document {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  /** The name of the only one who may read it. */
  @Column() owner!: string;

  @PrivateFileColumn<Document>({
    uploadTo: "documents",
    condition: (ctx, document) => document.owner === ctx.state.user?.name,
  })
  file!: PrivateFile;
}

/** Counts downloads, in memory: what a counter does in the database is the application's own cost. */
export class DownloadCounter implements PrivateFileSubscriber<Document> {
  readonly downloads = new Map<number, number>();

  listenTo() {
    return Document;
  }

  async beforeDownload({ entity, resumed }: BeforeDownloadEvent<Document>): Promise<void> {
    if (!resumed) this.downloads.set(entity.id, (this.downloads.get(entity.id) ?? 0) + 1);
  }
}
