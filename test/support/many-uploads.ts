import { type DataSource, Entity, PrimaryGeneratedColumn } from "typeorm";
import { type ListedObject, PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { MemoryStorage } from "./memory-storage.js";

/** The entity of the rows. */
@Entity()
export class Upload {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: () => "uploads/report.pdf" }) file!: PrivateFile;
}

/**
 * Makes up what it lists: an object for all rows but every hundred thousandth, and one more, which no row names, for every
 * hundredth.
 */
export class EndlessStorage extends MemoryStorage {
  /** @param count how many rows there are. */
  constructor(public count = 0) {
    super();
  }

  override async *list(): AsyncGenerator<ListedObject> {
    for (let index = 1; index <= this.count; index++) {
      if (index % 100_000 !== 0) yield { key: keyOf(index), size: 1, modifiedAt: new Date(0) };
      if (index % 100 === 0) yield { key: `uploads/orphan-${index}.pdf`, size: 1, modifiedAt: new Date(0) };
    }
  }
}

/** Inserts the rows of two numbers and all between, on SQLite, in one statement. */
export async function insertUploads(dataSource: DataSource, first: number, last: number): Promise<void> {
  await dataSource.query(
    `WITH RECURSIVE counted(n) AS (SELECT ${first} UNION ALL SELECT n + 1 FROM counted WHERE n < ${last})
     INSERT INTO upload (file) SELECT 'uploads/' || printf('%030d', n) || '/report.pdf' FROM counted`,
  );
}

function keyOf(index: number): string {
  return `uploads/${String(index).padStart(30, "0")}/report.pdf`;
}
