import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";

/** A row with a file, whose folder everybody shares: names are taken, and get a suffix. */
@Entity()
export class Report {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: (_report, filename) => `reports/${filename}` }) file!: PrivateFile;
}
