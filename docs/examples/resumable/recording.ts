import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";

/** The most bytes of a recording. */
export const MAX_SIZE = 2e9;

@Entity()
export class Recording {
  @PrimaryGeneratedColumn() id!: number;
  @Column() owner!: string;
  /** Of two requests that finish one upload, the unique index lets one make a row. */
  @Column({ unique: true }) uploadId!: string;
  @Column() size!: number;
  @PrivateFileColumn<Recording>({
    uploadTo: "recordings",
    maxSize: MAX_SIZE,
    accept: ["video/*", "audio/*"],
    condition: (ctx, { owner }) => ctx.state.user != null && owner === ctx.state.user.name,
    fields: { size: "size" },
  })
  file!: PrivateFile;
}
