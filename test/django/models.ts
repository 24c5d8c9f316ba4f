import { Column, Entity, EventSubscriber, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from "typeorm";
import {
  type BeforeDownloadEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
} from "typeorm-private-files";

/** Django's own user, as far as the tests need it. */
@Entity("auth_user")
export class User {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ length: 150 }) username!: string;
}

/** `PrivateFileField("file", upload_to="uploads", condition=is_owner)` */
@Entity("app_filesubmission")
export class FileSubmission {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ length: 200 }) description!: string;

  @PrivateFileColumn<FileSubmission>({
    name: "uploaded_file",
    length: 100,
    uploadTo: "uploads",
    relations: { owner: true },
    condition: (ctx, submission) => submission.owner.username === ctx.state.user?.name,
  })
  uploadedFile!: PrivateFile | null;

  @ManyToOne(() => User, { nullable: false })
  @JoinColumn({ name: "owner_id" })
  owner!: Relation<User>;
}

/** `PrivateFileField("file", upload_to="uploads/%Y/%m", null=True, blank=True)` */
@Entity("app_attachment")
export class Attachment {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ length: 100, uploadTo: "uploads/%Y/%m", nullable: true }) file!: PrivateFile | null;
}

/** `PrivateFileField("file", upload_to="downloadables")` */
@Entity("app_counteddownload")
export class CountedDownload {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ length: 200 }) description!: string;
  @PrivateFileColumn({ length: 100, uploadTo: "downloadables" }) downloadable!: PrivateFile;
  @Column({ default: 0 }) downloads!: number;
}

/** `pre_download.connect(handle_pre_download, sender=CountedDownload)` */
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
