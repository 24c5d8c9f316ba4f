/**
 * A text with all but RFC 3986's unreserved characters encoded: as it may stand in a segment of a URL, and in a parameter of a
 * header (RFC 8187, whose `attr-char` has these and others), so that nothing on the way has a reason to change it.
 *
 * @throws URIError for one half of a surrogate pair.
 */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
