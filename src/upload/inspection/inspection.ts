import * as crypto from "node:crypto";
import { UploadError, type UploadErrorDetails, type UploadFailure } from "../../storage/upload-error.js";
import { decidedType, isAccepted } from "./accept.js";
import { HEAD_BYTES } from "./detected-type.js";
import { evidenceOf, type TypeEvidence } from "./evidence.js";

/** What an upload has to be, and what is to be found out about it. */
export interface InspectionRules {
  /** The most bytes. */
  maxSize?: number;
  /** The extensions and media types that are taken. */
  accept?: readonly string[];
  /** Whether the media type is wanted. */
  type: boolean;
  /** Whether the digest is wanted; or the digest that it must have, in hexadecimal. */
  sha256: boolean | string;
  /** Is told how many bytes were read, whenever some were. */
  onProgress?: (bytes: number) => void;
}

/** What was found out about an upload. */
export interface Inspected {
  /** The number of bytes. */
  size: number;
  /** The media type, where it is wanted and known. */
  type?: string;
  /** The SHA-256 digest in hexadecimal, where it is wanted. */
  sha256?: string;
}

/**
 * Looks at the bytes of an upload on their way into the storage: counts them, and takes their digest and their type, in one pass, as far as
 * somebody wants to know.
 */
export class Inspection {
  private readonly head: Uint8Array[] = [];
  private readonly hash?: crypto.Hash;
  private headSize = 0;
  private evidence?: TypeEvidence;
  private digest?: string;
  /** The number of bytes so far. */
  size = 0;

  /**
   * @param subject names the column in messages.
   * @param filename the upload's name, whose extension is held against the bytes.
   */
  constructor(
    private readonly subject: string,
    private readonly rules: InspectionRules,
    private readonly filename: string,
  ) {
    if (rules.sha256) this.hash = crypto.createHash("sha256");
  }

  /** Whether anything is asked about the bytes but their number. */
  get isNeeded(): boolean {
    return Object.values(this.rules).some((rule) => rule !== undefined && rule !== false);
  }

  /** What was found out, once all bytes were taken. */
  get found(): Inspected {
    const { size, digest: sha256 } = this;
    return { size, type: this.evidence && decidedType(this.evidence), sha256 };
  }

  /** @throws UploadError where the number of bytes that is known beforehand is too large already. */
  assertSize(announced: number | undefined): void {
    const { maxSize } = this.rules;
    if (announced !== undefined && maxSize !== undefined && announced > maxSize) throw this.tooLarge(announced);
  }

  /**
   * Takes the next bytes.
   *
   * @throws UploadError as soon as a rule is broken, and what `onProgress` throws.
   */
  async take(chunk: Uint8Array): Promise<void> {
    this.size += chunk.byteLength;
    const { maxSize, onProgress } = this.rules;
    if (this.looksAtType && this.evidence === undefined) await this.takeHead(chunk);
    if (maxSize !== undefined && this.size > maxSize) {
      await this.lookAtHead();
      throw this.tooLarge(this.size);
    }
    this.hash?.update(chunk);
    await onProgress?.(this.size);
  }

  /**
   * Says that there are no more bytes.
   *
   * @throws UploadError where they are of the wrong type, or have another digest than the one that is expected.
   */
  async end(): Promise<void> {
    await this.lookAtHead();
    this.digest = this.hash?.digest("hex");
    const { sha256 } = this.rules;
    if (typeof sha256 === "string" && this.digest !== sha256.toLowerCase()) throw this.wrongChecksum();
  }

  /** An error that says why the upload is refused, with the type as far as it is known. */
  refusal(reason: UploadFailure, problem: string, details: UploadErrorDetails = {}): UploadError {
    const type = this.evidence && (this.evidence.detected?.mime ?? decidedType(this.evidence));
    return new UploadError(reason, `${this.subject}: ${problem}`, { details: type ? { ...details, type } : details });
  }

  private get looksAtType(): boolean {
    return this.rules.type || this.rules.accept !== undefined;
  }

  private async takeHead(chunk: Uint8Array): Promise<void> {
    const part = Buffer.from(chunk.subarray(0, HEAD_BYTES - this.headSize));
    this.head.push(part);
    this.headSize += part.length;
    if (this.headSize === HEAD_BYTES) await this.lookAtHead();
  }

  private async lookAtHead(): Promise<void> {
    if (!this.looksAtType || this.evidence !== undefined) return;
    this.evidence = await evidenceOf(Buffer.concat(this.head), this.filename);
    this.head.length = 0;
    const { accept } = this.rules;
    if (accept && !isAccepted(accept, this.evidence)) throw this.wrongType();
  }

  private tooLarge(size: number): UploadError {
    const problem = `the upload has more than ${this.rules.maxSize} bytes. Send a smaller file.`;
    return this.refusal("too-large", problem, { size });
  }

  private wrongType(): UploadError {
    const { detected, extension } = this.evidence!;
    const bytes = detected ? `its bytes are ${detected.mime}` : "its bytes have no known signature";
    const name = extension === "" ? "its name has no extension" : `its extension is ".${extension.slice(0, 20)}"`;
    const accepted = this.rules.accept!.join(", ");
    return this.refusal(
      "type",
      `the upload is of a type that is not accepted: ${bytes}, ${name}. Send one of ${accepted}.`,
    );
  }

  private wrongChecksum(): UploadError {
    return this.refusal(
      "checksum",
      "the upload has another SHA-256 digest than the one that is expected. Send it again.",
    );
  }
}
