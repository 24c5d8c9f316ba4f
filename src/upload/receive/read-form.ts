import { setMaxListeners } from "node:events";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Busboy, default as busboy, type FieldInfo, type FileInfo } from "busboy";
import type { Request } from "../../http/request-over.js";
import { Inspection } from "../inspection/inspection.js";
import type { Upload } from "../source/upload.js";
import { UploadBody } from "../upload-body.js";
import type { FormFile } from "./form-parts.js";
import { afterEnd, cutOff, formRefusal, malformed, nameless, tooMany, unknownCharset } from "./form-refusal.js";
import { joined } from "./joined.js";

/** The limits of one form. */
export interface FormLimits {
  files: number;
  fields: number;
  fieldsSize: number;
  /** The most bytes of the whole form, where that can be told. */
  size?: number;
  timeout: number;
  stallTimeout: number;
}

/** Takes what a form has. */
export interface FormReceiver {
  /** Reads the bytes of a file. `signal` is aborted when the form fails. */
  takeFile(file: FormFile, stream: Readable, signal: AbortSignal): Promise<void>;
  /** Takes a text; throws where there has to be a file. */
  takeText(name: string, text: string): void;
}

/**
 * Reads a form to its end, one part at a time. When anything fails, the rest of the request is thrown away, so that the client gets the answer.
 *
 * @throws UploadError for a form that is malformed, cut off, too large or too slow, and what the receiver throws.
 */
export async function readForm(upload: Upload, limits: FormLimits, receiver: FormReceiver): Promise<void> {
  const inspection = new Inspection("Form", { maxSize: limits.size, type: false, sha256: false }, "");
  inspection.assertSize(upload.size);
  const parser = parserOf(upload.request!, limits);
  const body = new UploadBody(upload, { inspection, stallTimeout: limits.stallTimeout });
  await new FormReading(body, parser, limits, receiver).end();
}

function parserOf({ headers }: Request, { files, fields, fieldsSize }: FormLimits): Busboy {
  const type = headers["content-type"] ?? "";
  if (!/^multipart\/form-data\s*;/i.test(type)) {
    throw formRefusal("invalid", 'the request has none. Give the form the attribute enctype="multipart/form-data".');
  }
  try {
    // One more than may come: the parser takes a text that is as long as its limit for one that was cut.
    const limits = { files, fields, fieldSize: fieldsSize + 1 };
    return busboy({ headers: { ...headers, "content-type": type }, defParamCharset: "utf8", limits });
  } catch (cause) {
    throw malformed(cause);
  }
}

/** A form that is being read. */
class FormReading {
  private readonly taking: Promise<void>[] = [];
  private readonly failing = new AbortController();
  private fieldsSize = 0;
  private failure?: { error: unknown };

  constructor(
    private readonly body: UploadBody,
    private readonly parser: Busboy,
    private readonly limits: FormLimits,
    private readonly receiver: FormReceiver,
  ) {
    // Every file that waits for something listens to it.
    setMaxListeners(0, this.failing.signal);
    body.on("error", (error) => this.fail(body.failure ?? cutOff(error)));
    parser.on("error", (error) => this.fail(malformed(error)));
    parser.on("file", (name, stream, info) => this.takeFile(name, stream, info));
    parser.on("field", (name, text, info) => this.takeText(name, text, info));
    parser.on("filesLimit", () => this.fail(tooMany(`${limits.files} files`)));
    parser.on("fieldsLimit", () => this.fail(tooMany(`${limits.fields} texts`)));
  }

  /** Waits for the end of the form, and of everything that was taken from it. */
  async end(): Promise<void> {
    const late = setTimeout(() => this.giveUp(), this.limits.timeout * 1000);
    try {
      // What fails is heard where it fails first.
      await pipeline(this.body, joined, this.parser).catch((error) => this.fail(error));
      await Promise.all(this.taking);
    } finally {
      clearTimeout(late);
    }
    if (this.failure) throw this.failure.error;
  }

  /** The body may have come to its end, while a storage or the application does not. */
  private giveUp(): void {
    const error = formRefusal("stalled", `it took more than ${this.limits.timeout} seconds. Send it again.`);
    this.body.giveUp(error);
    this.fail(error);
  }

  /** Types of busboy say that a part has a name; there are such without. */
  private takeFile(name: string | undefined, stream: Readable, { filename, mimeType }: FileInfo): void {
    // Its reader may have gone when it fails. Unheard, that would end the process.
    stream.on("error", () => {});
    if (this.isOver) {
      this.fail(afterEnd());
      stream.destroy();
      return;
    }
    const given = unescaped(filename as string | undefined) || undefined;
    const file = { name: unescaped(name) ?? "", filename: given, type: mimeType };
    const taking = name ? this.receiver.takeFile(file, stream, this.failing.signal) : Promise.reject(nameless());
    this.taking.push(taking.catch((error) => this.fail(error)));
  }

  /** The text of a charset that the parser does not know is `undefined`. */
  private takeText(
    name: string | undefined,
    text: string | undefined,
    { valueTruncated, nameTruncated }: FieldInfo,
  ): void {
    try {
      if (this.isOver) throw afterEnd();
      if (!name) throw nameless();
      if (text === undefined) throw unknownCharset(name);
      this.fieldsSize += Buffer.byteLength(name) + Buffer.byteLength(text);
      if (valueTruncated || nameTruncated || this.fieldsSize > this.limits.fieldsSize)
        throw tooMany(`${this.limits.fieldsSize} bytes of texts`);
      this.receiver.takeText(unescaped(name)!, text);
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * The parser goes on with the bytes that came together with those that failed, or with the end of the form. A file that begins there may
   * have no end, for which it would wait.
   */
  private get isOver(): boolean {
    return this.failure !== undefined || (this.parser as { _complete?: boolean })._complete === true;
  }

  private fail(error: unknown): void {
    if (this.failure) return;
    this.failure = { error };
    this.failing.abort();
    this.body.destroy(error as Error);
    // The last bytes may have left the body by now, while their file is on its way.
    this.parser.destroy(error as Error);
  }
}

/** Browsers write a quote so (HTML, "multipart/form-data encoding algorithm"). The parser knows the backslash of other clients. */
function unescaped(name: string | undefined): string | undefined {
  return name?.replaceAll("%22", '"');
}
