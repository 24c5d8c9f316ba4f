import { Column, Entity, Index, ManyToOne, PrimaryGeneratedColumn, type Relation } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { User } from "./user.js";

const ACCEPTED = ["application/pdf", "image/*", ".docx", ".odt", ".txt", ".zip"];

/** A file that only the person who uploaded it may download. */
@Entity()
export class FileSubmission {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ length: 200 })
  description!: string;

  @ManyToOne(() => User, { nullable: false })
  owner!: Relation<User>;

  @Index()
  @PrivateFileColumn<FileSubmission>({
    uploadTo: "uploads",
    condition: (ctx, submission) => ctx.state.user != null && submission.owner?.id === ctx.state.user.id,
    relations: { owner: true },
    attachment: true,
    accept: ACCEPTED,
    maxSize: 100e6,
    fields: { name: "originalName" },
  })
  uploadedFile!: PrivateFile;

  /** The file's name as the browser sent it. `attach` fills it. */
  @Column({ length: 255 })
  originalName!: string;

  @Column()
  createdAt!: Date;
}
