import type { FileStore } from "@tus/file-store";
import type { Upload } from "@tus/server";
import { fromPath, type PrivateFiles, UploadError } from "typeorm-private-files";
import { Recording } from "./recording.js";

/** Makes recordings of uploads that have arrived. */
export class FinishedUploads {
  private readonly running = new Map<string, Promise<Recording>>();

  constructor(
    private readonly files: PrivateFiles,
    private readonly store: FileStore,
  ) {}

  /** The last bytes may be followed by the question whether they arrived, before the row is there. */
  finish(upload: Upload): Promise<Recording> {
    const running = this.running.get(upload.id) ?? this.save(upload).finally(() => this.running.delete(upload.id));
    this.running.set(upload.id, running);
    return running;
  }

  /** The file of the upload stays until the row is committed, so that a crash loses nothing. */
  private async save({ id, metadata, storage }: Upload): Promise<Recording> {
    const recordings = this.files.dataSource.getRepository(Recording);
    const recording = recordings.create({ uploadId: id, owner: metadata!.owner! });
    try {
      const filename = metadata!.filename ?? undefined;
      await this.files.attach(recording, "file", fromPath(storage!.path), { filename });
      await recordings.save(recording);
      await this.store.remove(id);
      return recording;
    } catch (error) {
      // A file that is refused will be refused again. Anything else may be tried again.
      if (error instanceof UploadError && error.status) await this.store.remove(id);
      throw error;
    }
  }
}
