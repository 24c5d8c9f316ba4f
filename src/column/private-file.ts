/**
 * Where a value came from, and what became of it.
 *
 * - `made`: somebody called the constructor.
 * - `attached`: an upload that no row is known to name yet.
 * - `stored`: a row names it, or named it once.
 * - `discarded`: an upload that was removed, since its row never came to be.
 */
export type Origin = "made" | "attached" | "stored" | "discarded";

/** Where a value came from. */
export let originOf: (file: PrivateFile) => Origin;

/** Notes what became of a value, and returns it. */
export let withOrigin: (file: PrivateFile, origin: Origin) => PrivateFile;

/**
 * The value of a private file column: which stored object belongs to the entity. It never holds bytes.
 *
 * TypeORM makes one for each row that it loads, `attach` makes one for each upload, and nothing that JSON could have made
 * is one: so no request can name a file by filling in an entity's properties.
 *
 * As JSON and as a string it is the file's name, so that an answer which contains an entity does not show the key.
 */
export class PrivateFile {
  #origin: Origin = "made";

  static {
    originOf = (file) => file.#origin;
    withOrigin = (file, origin) => {
      file.#origin = origin;
      return file;
    };
  }

  constructor(
    /**
     * The key of the object in its storage, e.g. `uploads/2026/v7kq…/report.pdf`: the text in the database column.
     * Never make one of what a request says.
     */
    readonly key: string,
  ) {}

  /** The last segment of the key, e.g. `report.pdf`. */
  get name(): string {
    return this.key.slice(this.key.lastIndexOf("/") + 1);
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
