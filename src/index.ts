import "./node-version.js";

export type { CheckOptions, CheckProgress, Problem, ProblemCode, ProblemRow } from "./check/problem.js";
export type {
  Condition,
  DatabaseColumnOptions,
  PrivateFileColumnOptions,
  PrivateFileColumnType,
  PrivateFileFields,
} from "./column/column-options.js";
export { PrivateFile } from "./column/private-file.js";
export { PrivateFileColumn, privateFileColumn } from "./column/private-file-column.js";
export type { PrivateFileDecorator } from "./column/private-file-decorator.js";
export type { PrivateFileProperty } from "./column/private-file-property.js";
export type { UploadTo } from "./column/upload-to.js";
export type { Delivery, Download } from "./delivery/delivery.js";
export { type KoaSendDeliveryOptions, koaSendDelivery } from "./delivery/koa-send.js";
export type { StallOptions } from "./delivery/stall-options.js";
export { streamDelivery } from "./delivery/stream.js";
export type { SendOptions } from "./download/routes/send-options.js";
export * from "./errors.js";
export type {
  AfterDownloadEvent,
  AttachedFile,
  BeforeAttachEvent,
  BeforeDownloadEvent,
  DenyingStep,
  DownloadDeniedEvent,
  DownloadEvent,
  DownloadedFile,
  PrivateFileSubscriber,
} from "./hooks/events.js";
export type { ByteRange } from "./http/byte-range.js";
export type { Piece } from "./http/content.js";
export type { PrimaryKeyValue, RemoveCriteria, RemoveOptions } from "./lifecycle/removal/removal-options.js";
export { PrivateFiles } from "./private-files.js";
export type { PrivateFilesOptions } from "./private-files-options.js";
export { DiskStorage } from "./storage/disk/disk-storage.js";
export type { DiskStorageOptions } from "./storage/disk-options.js";
export type {
  CopyOptions,
  ListedObject,
  OpenObject,
  PutOptions,
  ReadOptions,
  StagedUpload,
  Storage,
  StoredObject,
} from "./storage/storage.js";
export * from "./storage/upload-error.js";
export type {
  AlteredItem,
  InvalidItem,
  MissingItem,
  OrphanItem,
  SweepItem,
  SweepOptions,
  SweepProgress,
  SweepReport,
  SweepVerification,
  UnreadableItem,
} from "./sweep/sweep-options.js";
export type { AttachOptions } from "./upload/attach-options.js";
export { formErrors } from "./upload/form/form-errors.js";
export { formidableOptions } from "./upload/form/formidable-options.js";
export {
  type MulterStorageEngine,
  type MulterStorageOptions,
  multerStorage,
  type TemporaryUpload,
} from "./upload/form/multer-storage.js";
export type { Form } from "./upload/receive/form.js";
export type { AnyFormPart, FormFile, FormPart, FormPartOptions, FormParts } from "./upload/receive/form-parts.js";
export type { ReceiveOptions } from "./upload/receive/receive-options.js";
export { FilePath, fromPath } from "./upload/source/file-path.js";
export type { FormidableFile, MulterMemoryFile, UploadSource } from "./upload/source/upload-source.js";
export type { FileDigest } from "./verification/finding.js";
