import type { PrivateFile } from "./private-file.js";

/**
 * The paths of an entity's private file columns, as far as its type tells: `photo`, or `profile.photo` in an embedded entity.
 *
 * The condition always holds. It makes TypeScript list the paths in its messages, where it would show the name of this type.
 */
export type PrivateFileProperty<E> = [E] extends [unknown] ? FilePaths<E>[keyof FilePaths<E>] : never;

type FilePaths<E> = {
  [K in keyof E & string]-?: NonNullable<E[K]> extends PrivateFile
    ? K
    : NonNullable<E[K]> extends object
      ? `${K}.${FileKey<NonNullable<E[K]>>}`
      : never;
};

type FileKey<T> = { [K in keyof T & string]-?: NonNullable<T[K]> extends PrivateFile ? K : never }[keyof T & string];
