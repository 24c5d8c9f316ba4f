import {
  BeforeInsert,
  Column,
  Entity,
  EventSubscriber,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from "typeorm";
import {
  type BeforeDownloadEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
} from "typeorm-private-files";

@Entity("auth_user")
export class User {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ length: 150 }) username!: string;
  @Column({ length: 128, select: false }) password!: string;
  @Column({ name: "is_active" }) isActive!: boolean;
}

@Entity("app_filesubmission")
export class FileSubmission {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ length: 200 }) description!: string;

  @PrivateFileColumn<FileSubmission>({
    name: "uploaded_file",
    length: 100,
    uploadTo: "uploads",
    relations: { owner: true },
    condition: (ctx, submission) => ctx.state.user != null && submission.owner?.id === ctx.state.user.id,
  })
  uploadedFile!: PrivateFile | null;

  @ManyToOne(() => User, { nullable: false })
  @JoinColumn({ name: "owner_id" })
  owner!: Relation<User>;
}

@Entity("app_counteddownload")
export class CountedDownload {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ length: 200 }) description!: string;
  @PrivateFileColumn({ length: 100, uploadTo: "downloadables" }) downloadable!: PrivateFile | null;
  @Column() downloads!: number;

  @BeforeInsert()
  setDefaults() {
    this.downloads ??= 0; // Django keeps its defaults in the model, not in the database
  }
}

@EventSubscriber()
export class DownloadCounter implements PrivateFileSubscriber<CountedDownload> {
  listenTo() {
    return CountedDownload;
  }
  async beforeDownload(event: BeforeDownloadEvent<CountedDownload>) {
    if (!event.begins) return;
    await event.manager.increment(CountedDownload, { id: event.entity.id }, "downloads", 1);
  }
}
