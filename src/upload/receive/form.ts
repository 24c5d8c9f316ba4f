/**
 * The texts of a form, by the names of their fields. A field that the form does not have is `undefined`. Of a repeated one it is the first,
 * as with `FormData`.
 *
 * It has no prototype, so no name of a field means anything else than that field; but `all` is this method, whatever the form has.
 */
export type Form = Readonly<Record<string, string | undefined>> & {
  /** All texts of a field, in the order of the form. */
  all(name: string): string[];
};

/** Makes a form of the names and texts that it was sent with. */
export function formOf(texts: readonly (readonly [name: string, text: string])[]): Form {
  const form: Record<string, unknown> = Object.create(null);
  for (const [name, text] of texts) form[name] ??= text;
  const all = (wanted: string) => texts.filter(([name]) => name === wanted).map(([, text]) => text);
  return Object.freeze(Object.defineProperty(form, "all", { value: all, enumerable: false })) as Form;
}
