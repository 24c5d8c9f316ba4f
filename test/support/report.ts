import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";

/** A row with a file, which goes where everybody else's goes. */
@Entity()
export class Report {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: (_report, filename) => `reports/${filename}` }) file!: PrivateFile;
}
