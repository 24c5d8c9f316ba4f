/** Whether a value can be sent as that of a header field (RFC 9110 §5.5): a text that is not blank and has no control characters. */
export function isFieldValue(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "" && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
