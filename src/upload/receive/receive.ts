import type { Readable } from "node:stream";
import type { Request } from "../../http/request-over.js";
import { waitAtMost } from "../../lifecycle/object-deletion.js";
import { UploadError } from "../../storage/upload-error.js";
import { closeUpload } from "../source/upload.js";
import { openUpload } from "../source/upload-source.js";
import type { Assigned, Destination } from "../store.js";
import { unlessAborted } from "../unless-aborted.js";
import { ExpectedParts } from "./expected-parts.js";
import { type Form, formOf } from "./form.js";
import { checkFormParts, type FormFile, type FormParts } from "./form-parts.js";
import { type FormReceiver, readForm } from "./read-form.js";
import { checkReceiveOptions, type ReceiveOptions } from "./receive-options.js";
import { ReceivedFile } from "./received-file.js";

/** A form whose files are in their entities. */
export interface Received {
  /** Its texts. */
  form: Form;
  /** What the properties of the entities now are. */
  assigned: Assigned[];
}

/** What a reception needs to know of the application. */
export interface ReceiveContext {
  /** Finds the column of a property, and its storage. */
  destinationOf(entity: object, property: string): Destination;
  /** How many seconds the storages may take to remove what they have of a form that failed. They go on by themselves then. */
  timeout: number;
}

/**
 * Reads a form, and streams its files into the storages of their columns. When it fails, nothing is left there, and the entities are as they
 * were.
 */
export async function receive(
  request: Request,
  parts: FormParts,
  options: ReceiveOptions,
  context: ReceiveContext,
): Promise<Received> {
  checkFormParts(parts);
  checkReceiveOptions(options);
  const expected = new ExpectedParts(parts, options, context.destinationOf);
  try {
    return await receiveParts(request, expected, options, context);
  } finally {
    expected.settle();
  }
}

async function receiveParts(
  request: Request,
  expected: ExpectedParts,
  { onFields }: ReceiveOptions,
  { timeout }: ReceiveContext,
): Promise<Received> {
  const upload = await openUpload("Form", request);
  const reception = new Reception(expected);
  try {
    await readForm(upload, expected.limits, reception);
    const form = formOf(reception.texts);
    expected.assertComplete();
    await onFields?.(form);
    return { form, assigned: await reception.assign() };
  } catch (error) {
    await waitAtMost(timeout, reception.discard());
    if (error instanceof UploadError && Object.isExtensible(error)) {
      error.details = { ...error.details, texts: formOf(reception.texts) };
    }
    throw error;
  } finally {
    await closeUpload(upload);
  }
}

/** What came of a form so far. */
class Reception implements FormReceiver {
  readonly texts: [name: string, text: string][] = [];
  private readonly files: ReceivedFile[] = [];

  constructor(private readonly expected: ExpectedParts) {}

  async takeFile(file: FormFile, stream: Readable, signal: AbortSignal): Promise<void> {
    // What a browser sends for a field without a file.
    if (file.filename === undefined && (await isEmpty(stream))) return;
    const { destination, options } = await unlessAborted(signal, this.expected.partFor(file));
    const received = new ReceivedFile(destination, file, stream, options);
    this.files.push(received);
    await received.take(signal);
  }

  takeText(name: string, text: string): void {
    if (this.expected.isForFile(name, text)) return;
    this.texts.push([name, text]);
  }

  /** One after the other, so that `uploadTo` is asked in the order of the form. Entities change when all files have their keys. */
  async assign(): Promise<Assigned[]> {
    for (const file of this.files) await file.keep();
    return this.files.map((file) => file.assign());
  }

  async discard(): Promise<void> {
    for (const file of this.files.toReversed()) file.takeBack();
    await Promise.all(this.files.map((file) => file.discard()));
  }
}

async function isEmpty(stream: Readable): Promise<boolean> {
  const first = await new Promise<Buffer | null>((resolve) => {
    stream.once("readable", () => resolve(stream.read()));
    stream.once("close", () => resolve(null));
  });
  if (first !== null) stream.unshift(first);
  return first === null;
}
