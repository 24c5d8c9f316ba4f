import { ConfigurationError } from "../../errors.js";
import { markPending } from "../../lifecycle/pending-uploads.js";
import { quoted } from "../../quoted.js";
import type { UploadError, UploadFailure } from "../../storage/upload-error.js";
import type { Destination } from "../store.js";
import { type AnyFormPart, checkFormPart, type FormFile, type FormPartOptions, type FormParts } from "./form-parts.js";
import { formRefusal } from "./form-refusal.js";
import type { FormLimits } from "./read-form.js";
import type { ReceiveOptions } from "./receive-options.js";

/** Where a file of a form goes. */
export interface ExpectedPart {
  /** The property of the entity. */
  destination: Destination;
  /** What is said of the file. */
  options: FormPartOptions & { maxSize: number };
}

type PartFunction = Extract<FormParts, (file: FormFile) => unknown>;

/** The most bytes of a file that nobody gave a limit. */
const FILE_SIZE = 256 * 1024 ** 2;
/** The most bytes of the boundary and the header of a part that a client which means well sends. */
const HEADER_SIZE = 2048;

/** The files that a form may have. While it is read, their entities can't be saved. */
export class ExpectedParts {
  private readonly parts = new Map<string, ExpectedPart>();
  private readonly taken: Destination[] = [];
  private readonly ask?: PartFunction;
  private readonly settling: (() => void)[] = [];
  private asked = 0;
  private isSettled = false;

  constructor(
    parts: FormParts,
    private readonly options: ReceiveOptions,
    private readonly destinationOf: (entity: object, property: string) => Destination,
  ) {
    if (typeof parts === "function") this.ask = parts;
    else for (const [name, part] of Object.entries(parts)) this.parts.set(name, this.expect(part as AnyFormPart));
    assertDistinct([...this.parts.values()]);
    for (const { destination } of this.parts.values()) this.hold(destination);
  }

  /** The limits of the form. Its size can be told where all parts are known. */
  get limits(): FormLimits {
    const { fields = 100, fieldsSize = 2 ** 20, timeout = 3600, stallTimeout = 60 } = this.options;
    const sizes = [...this.parts.values()].map(({ options }) => options.maxSize);
    const headers = (this.most + fields) * HEADER_SIZE;
    const size = this.ask ? undefined : sizes.reduce((sum, most) => sum + most, fieldsSize + headers);
    // A field without a file counts as one for the parser.
    return { files: this.most + fields, fields, fieldsSize, size, timeout, stallTimeout };
  }

  /**
   * Where a file goes.
   *
   * @throws UploadError for one that is not expected, and for one too many.
   */
  async partFor(file: FormFile): Promise<ExpectedPart> {
    const part = this.ask ? await this.askedPart(file, this.ask) : this.parts.get(file.name);
    if (!part) throw unexpected(file);
    if (this.isTaken(part)) throw wrong(part, file.name, "has several files, where one is expected");
    this.taken.push(part.destination);
    if (this.taken.length > this.most) throw this.tooMany(file);
    return part;
  }

  /**
   * Whether a text stands where a file is expected. An empty one counts as no file.
   *
   * @throws UploadError for any other.
   */
  isForFile(name: string, text: string): boolean {
    const part = this.parts.get(name);
    if (part && text !== "") throw wrong(part, name, "has a text, where a file is expected");
    return part !== undefined;
  }

  /** @throws UploadError when a file did not come that its column needs. */
  assertComplete(): void {
    for (const [name, part] of this.parts) {
      if (!this.isTaken(part) && needsFile(part.destination)) throw wrong(part, name, "has no file", "missing");
    }
  }

  /** From now on the entities can be saved. */
  settle(): void {
    this.isSettled = true;
    for (const settle of this.settling.splice(0)) settle();
  }

  private get most(): number {
    return this.options.files ?? (this.ask ? 10 : this.parts.size);
  }

  private expect([entity, property, options]: AnyFormPart): ExpectedPart {
    const destination = this.destinationOf(entity, property);
    const { maxSize = Number.POSITIVE_INFINITY } = destination.column.options;
    const fileSize = this.options.fileSize ?? (maxSize === Number.POSITIVE_INFINITY ? FILE_SIZE : maxSize);
    return { destination, options: { ...options, maxSize: Math.min(maxSize, fileSize) } };
  }

  /** The function may answer when the form has failed. */
  private async askedPart(file: FormFile, ask: PartFunction): Promise<ExpectedPart | undefined> {
    if (++this.asked > this.most) throw this.tooMany(file);
    const answer = await ask(file);
    if (answer === undefined) return undefined;
    checkFormPart(answer);
    const part = this.expect(answer);
    if (!this.isSettled) this.hold(part.destination);
    return part;
  }

  private isTaken({ destination }: ExpectedPart): boolean {
    return this.taken.some((taken) => isSame(taken, destination));
  }

  private tooMany({ name }: FormFile): UploadError {
    return refusal("too-large", `it has more than ${this.most} files`, name);
  }

  private hold({ entity, column }: Destination): void {
    this.settling.push(markPending(entity, column));
  }
}

function assertDistinct(parts: readonly ExpectedPart[]): void {
  const isAgain = ({ destination }: ExpectedPart, at: number) =>
    parts.slice(0, at).some((other) => isSame(other.destination, destination));
  const again = parts.find(isAgain);
  if (!again) return;
  const { subject } = again.destination.column;
  throw new ConfigurationError(`receive: two parts are for "${subject}" of one entity. Give each its own property.`);
}

function isSame(one: Destination, other: Destination): boolean {
  return one.entity === other.entity && one.column === other.column;
}

function wrong(part: ExpectedPart, name: string, problem: string, reason: UploadFailure = "invalid"): UploadError {
  const error = refusal(reason, `its part ${quoted(name)} ${problem}`, name);
  error.property = part.destination.column.propertyPath;
  return error;
}

function unexpected({ name }: FormFile): UploadError {
  return refusal("invalid", `its part ${quoted(name)} has a file, which is not expected`, name);
}

function refusal(reason: UploadFailure, problem: string, part: string): UploadError {
  return formRefusal(reason, `${problem}. Send another one.`, { details: { part } });
}

/** A row that was loaded without the column may have a file. */
function needsFile({ column, entity }: Destination): boolean {
  if (column.column.isNullable || column.fileOf(entity)) return false;
  return column.column.getEntityValue(entity) !== undefined || !column.entity.hasId(entity);
}
