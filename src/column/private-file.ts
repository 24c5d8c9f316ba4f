import type { DataSource } from "typeorm";
import { PrivateFileError } from "../errors.js";
import type { Storage } from "../storage/storage.js";

/**
 * What became of a file that a column holds.
 *
 * - `stored`: a row has it, or had it once.
 * - `attached`: an upload that no row has, or an object that was adopted.
 * - `written`: an upload that a statement is writing, or has written in a transaction that is open.
 * - `unknown`: an upload whose transaction ended without an answer.
 * - `discarded`: an upload that was deleted.
 */
type FileState = "stored" | "attached" | "written" | "unknown" | "discarded";

/** What an upload was made for. */
export interface UploadTarget {
  /** The data source whose rows may have it. */
  dataSource: DataSource;
  /** The column, as {@link PrivateColumn.place} names it. */
  place: string;
  /** Where its bytes are. */
  storage: Storage;
}

/** What the package knows of a {@link PrivateFile}, and its owner does not see. */
export interface FileRecord {
  /** The key of the object in its storage. */
  readonly key: string;
  /** What became of it. */
  state: FileState;
  /** What it was made for, if it is an upload of this process. */
  readonly target?: UploadTarget;
  /** Whether it was in the storage before, and the application named it with `adopt`. It stays when no row gets it. */
  readonly isAdopted?: boolean;
  /** Whether a statement has named it that writes another table. */
  isMentioned?: boolean;
  /** The connection that writes it, while it is `written`. */
  writer?: object;
  /** The row that it was written to, while it is `unknown`. */
  row?: string;
  /** Whether its request is over, so that nobody will save it again. */
  isGivenUp?: boolean;
  /** When it is deleted, in milliseconds, if no row gets it before. */
  expiresAt?: number;
}

/** The record of a value; `undefined` for everything that {@link makeFile} did not make, copies of such values included. */
export let recordOf: (value: unknown) => FileRecord | undefined;

/** Makes the value of a column. */
export let makeFile: (record: FileRecord) => PrivateFile;

/** Only {@link makeFile} has it, so the constructor makes nothing that could be saved for anybody else. */
const MAKING = Symbol("making");

/**
 * The value of a private file column: which stored object belongs to the entity. It never holds bytes.
 *
 * TypeORM creates one for each row that it loads, and `attach` creates one for each upload. It can be neither changed nor forged:
 * a copy, or an object with the same properties, is refused when it is saved. So no request can choose a file by filling in an
 * entity's properties.
 *
 * Serialisers see the file's name and nothing else, so a response that contains an entity does not reveal the key.
 */
export class PrivateFile {
  readonly #record: FileRecord | undefined;
  /** The last segment of the key, e.g. `report.pdf`. */
  readonly name!: string;

  static {
    recordOf = (value) => (typeof value === "object" && value !== null && #record in value ? value.#record : undefined);
    makeFile = (record) => new PrivateFile(MAKING, record);
    const { get } = Object.getOwnPropertyDescriptor(PrivateFile.prototype, "key")!;
    // A setter with an error that says what to do: a getter alone would make assignments fail with a bare TypeError, or silently.
    Object.defineProperty(PrivateFile.prototype, "key", { get, set: refuseKey });
    Object.freeze(PrivateFile.prototype);
  }

  private constructor(making?: typeof MAKING, record?: FileRecord) {
    if (making !== MAKING) return;
    this.#record = record;
    this.name = record!.key.slice(record!.key.lastIndexOf("/") + 1);
    Object.freeze(this);
  }

  /** The key of the object in its storage, e.g. `uploads/2026/v7kq…/report.pdf`: the text in the database column. */
  get key(): string {
    return recordOf(this)?.key ?? "";
  }

  /** What `JSON.stringify` shows: the name, not the key. */
  toJSON(): { name: string } {
    return { name: this.name };
  }

  /** What a template shows: the name, not the key. */
  toString(): string {
    return this.name;
  }
}

function refuseKey(): never {
  throw new PrivateFileError(
    "ERR_PRIVATE_FILE_VALUE",
    'PrivateFile: its key can\'t be changed. Use "files.attach(entity, property, upload)" to put another file there.',
  );
}
