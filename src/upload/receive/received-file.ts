import type { Readable } from "node:stream";
import { recordOf } from "../../column/private-file.js";
import { uploadedFile } from "../../lifecycle/uploads.js";
import type { StagedUpload } from "../../storage/storage.js";
import type { UploadErrorDetails } from "../../storage/upload-error.js";
import type { Inspected } from "../inspection/inspection.js";
import { inspectionFor } from "../inspection/inspection-for.js";
import { discardUpload, type Incoming, keepUpload, stageUpload } from "../put-upload.js";
import { explainRefusal } from "../refusal.js";
import { type Assigned, assign, type Destination, keyFor, putOptions } from "../store.js";
import { unlessAborted } from "../unless-aborted.js";
import type { FormFile, FormPartOptions } from "./form-parts.js";

/** The reading of the form sees to clients that send nothing. */
const NO_STALL_TIMEOUT = 86_400;

/**
 * A file of a form. Its bytes are streamed into the storage while the form is read, and get their key when all of it was read: `uploadTo` may
 * need what comes after the file. A storage without `stage` takes bytes under their key only, so there it is asked first.
 */
export class ReceivedFile {
  private staging?: Promise<StagedUpload>;
  private found?: Inspected;
  private assigned?: Assigned;
  private key?: string;
  private readonly incoming: Incoming;
  private readonly known: UploadErrorDetails;
  private readonly options: FormPartOptions;

  constructor(
    private readonly destination: Destination,
    file: FormFile,
    stream: Readable,
    { maxSize, ...options }: FormPartOptions & { maxSize: number },
  ) {
    const filename = options.filename ?? file.filename;
    this.options = { ...options, filename };
    this.known = { part: file.name, filename, maxSize };
    const inspection = inspectionFor(destination.column, this.options, maxSize);
    this.incoming = { source: { stream }, inspection, filename, stallTimeout: NO_STALL_TIMEOUT };
  }

  /** Streams the bytes into the storage, until `signal` is aborted. */
  take(signal: AbortSignal): Promise<void> {
    return this.explained(async () => {
      const { storage } = this.destination;
      try {
        if (!storage.stage) this.key = await keyFor(this.destination, { ...this.options, signal });
        this.staging = stageUpload(this.destination, this.incoming, putOptions(this.options), this.key);
        await unlessAborted(signal, this.staging);
      } finally {
        this.known.size = this.incoming.inspection.size;
      }
    });
  }

  /** Shows the bytes to the hooks, and gives them their key. */
  keep(): Promise<void> {
    return this.explained(async () => {
      const staged = await this.staging!;
      this.key ??= await keyFor(this.destination, this.options);
      this.found = await keepUpload(this.destination, this.incoming, staged, putOptions(this.options), this.key);
    });
  }

  /** Puts the file into the entity. */
  assign(): Assigned {
    const { column, storage } = this.destination;
    const file = uploadedFile(this.key!, column.uploadTarget(storage));
    this.assigned = assign(this.destination, file, { name: this.options.filename, ...this.found });
    return this.assigned;
  }

  /** Takes the file out of the entity, which can't be saved with it any more. */
  takeBack(): void {
    const record = recordOf(this.assigned?.file);
    if (record) record.state = "discarded";
    this.assigned?.putBack();
  }

  /** Removes the bytes, however far they are. */
  async discard(): Promise<void> {
    if (this.found) await this.destination.storage.delete(this.key!).catch(() => {});
    else await this.staging?.then(discardUpload, () => {});
  }

  private explained(work: () => Promise<void>): Promise<void> {
    return explainRefusal(this.destination.column, this.known, work());
  }
}
