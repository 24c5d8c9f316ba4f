import { Column, Entity, Index, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";

/** A file for everyone who is signed in, which is what a column without a `condition` asks. Its downloads are counted. */
@Entity()
export class CountedDownload {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ length: 200 })
  description!: string;

  @Index()
  @PrivateFileColumn<CountedDownload>({ uploadTo: "downloadables", maxSize: 5e9, fields: { name: "originalName" } })
  downloadable!: PrivateFile;

  @Column({ default: 0 })
  downloads!: number;

  /** The file's name as the browser sent it. `attach` fills it. */
  @Column({ length: 255 })
  originalName!: string;

  @Column()
  createdAt!: Date;
}
