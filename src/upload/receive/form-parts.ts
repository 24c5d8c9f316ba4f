import type { PrivateFileProperty } from "../../column/private-file-property.js";
import { described } from "../../described.js";
import { ConfigurationError } from "../../errors.js";
import { checkOptions, type OptionRules } from "../../options.js";
import { ATTACH_RULES, type AttachOptions } from "../attach-options.js";

/** What is said of one file of a form beside where it goes. */
export type FormPartOptions = Pick<AttachOptions, "filename" | "type" | "sha256" | "onProgress">;

/** Where a file of a form goes: the property of an entity. */
export type FormPart<E extends object = object> = readonly [
  entity: E,
  property: PrivateFileProperty<E>,
  options?: FormPartOptions,
];

/** Where a file of a form goes, when the compiler does not know which entity it is. A property that is none is found when it is used. */
export type AnyFormPart = readonly [entity: object, property: string, options?: FormPartOptions];

/** What a form says of a file before its bytes. None of it can be trusted. */
export interface FormFile {
  /** The name of the form's field. */
  readonly name: string;
  /** The name of the file, without folders. `undefined` where the form gives none. */
  readonly filename?: string;
  /** The media type that the client declares. */
  readonly type: string;
}

/**
 * Where the files of a form go: for each field that takes one file the property of an entity, or a function that is asked for each file that
 * comes. It may answer later, and returns `undefined` for a file that is not expected, which is refused.
 */
export type FormParts<Entities extends Record<string, object> = Record<string, object>> =
  | { readonly [Name in keyof Entities]: FormPart<Entities[Name]> }
  | ((file: FormFile) => AnyFormPart | undefined | Promise<AnyFormPart | undefined>);

/** @throws ConfigurationError for what is neither a function nor an object of parts. */
export function checkFormParts(parts: unknown): asserts parts is FormParts {
  if (typeof parts === "function") return;
  if (typeof parts !== "object" || parts === null || Array.isArray(parts)) {
    throw new ConfigurationError(
      `receive: "parts" must be an object or a function, got ${described(parts)}. Give { file: [entity, "property"] }.`,
    );
  }
  for (const part of Object.values(parts)) checkFormPart(part);
}

/** @throws ConfigurationError for what is no part. */
export function checkFormPart(part: unknown): asserts part is AnyFormPart {
  const [entity, property, options, ...rest] = Array.isArray(part) ? part : [];
  if (typeof entity !== "object" || entity === null || typeof property !== "string" || rest.length > 0) {
    throw new ConfigurationError(`receive: a part must be [entity, "property"], got ${described(part)}. Write it so.`);
  }
  if (options !== undefined) checkOptions("receive", options, RULES);
}

const { filename, type, sha256, onProgress } = ATTACH_RULES;
const RULES: OptionRules<FormPartOptions> = { filename, type, sha256, onProgress };
