import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, type PrivateFiles } from "typeorm-private-files";

/** A row that says of each of its files what the bytes must be. */
@Entity()
export class Parcel {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: String, nullable: true, unique: true }) label!: string | null;
  @PrivateFileColumn({ uploadTo: "letters", nullable: true }) letter!: PrivateFile | null;
  @Column({ type: String, nullable: true }) letterSeal!: string | null;
  @PrivateFileColumn({ uploadTo: "goods/%Y", nullable: true }) goods!: PrivateFile | null;
  @Column({ type: String, nullable: true }) goodsSeal!: string | null;
}

/** The files of a parcel. */
export const PARTS = ["letter", "goods"] as const;
export type Part = (typeof PARTS)[number];

/**
 * Attaches bytes and notes their seal, which is the file's name as well: so an object tells what it must be, whether a row
 * names it or not.
 *
 * @param note a word that no other seal of the row has had: TypeORM writes only what changed, and two empty files are alike.
 */
export async function putInto(
  parcel: Parcel,
  part: Part,
  note: string,
  bytes: Buffer,
  files: PrivateFiles,
  source: Readable = Readable.from([bytes], { objectMode: false }),
): Promise<void> {
  const seal = `${note}-${fingerprint(bytes)}`;
  await files.attach(parcel, part, source, { filename: `${seal}.bin` });
  parcel[`${part}Seal`] = seal;
}

/** Takes a file and its seal out of a parcel. */
export function takeOut(parcel: Parcel, part: Part, files: PrivateFiles): void {
  files.detach(parcel, part);
  parcel[`${part}Seal`] = null;
}

/** The size and the SHA-256 of some bytes. */
export function fingerprint(bytes: Buffer): string {
  return `${bytes.length}-${createHash("sha256").update(bytes).digest("hex")}`;
}
