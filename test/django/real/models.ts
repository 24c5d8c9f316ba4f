import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";

/** `FileField(upload_to="uploads/%Y/%m", null=True, blank=True)` */
@Entity("app_attachment")
export class Attachment {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ length: 100, uploadTo: "uploads/%Y/%m", nullable: true }) file!: PrivateFile | null;
}

/** `FileField(upload_to="avatars", default="defaults/avatar.png")`, and `BigAutoField` for the primary key. */
@Entity("app_profile")
export class Profile {
  @PrimaryGeneratedColumn({ type: "bigint" }) id!: string;
  @PrivateFileColumn({ length: 100, uploadTo: "avatars" }) avatar!: PrivateFile | null;
}

/** The same table, where the application wants its numbers as numbers. */
@Entity("app_profile")
export class NumberedProfile {
  @Column({ type: "bigint", primary: true, transformer: { from: Number, to: (id: number) => id } }) id!: number;
  @PrivateFileColumn({ length: 100 }) avatar!: PrivateFile | null;
}

/** A column of django-private-files with `single_use=True`. */
@Entity("app_counteddownload")
export class ClosedDownload {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ length: 100, condition: () => false }) downloadable!: PrivateFile | null;
}
