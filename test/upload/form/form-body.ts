import type { Socket } from "node:net";
import type { RawRequest } from "../../support/cut-requests.js";

/** The bytes of a form. */
export type Body = Buffer;

const BOUNDARY = "----boundary";

/** The content type of the forms. */
export const CONTENT_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/** A form with these parts. */
export function form(...parts: Buffer[]): Body {
  return Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

/** A part with a file. */
export function file(field: string, content: Uint8Array | string, name = "report.pdf"): Buffer {
  return part(`name="${field}"; filename="${name}"\r\nContent-Type: application/pdf`, content);
}

/** A part with a text. */
export function text(field: string, content: string): Buffer {
  return part(`name="${field}"`, content);
}

/** A part with these parameters and other headers. */
function part(parameters: string, content: Uint8Array | string): Buffer {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; ${parameters}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(content as string), Buffer.from("\r\n")]);
}

/** A request with a form. */
export function requestOf(path: string, body: Body): RawRequest {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${CONTENT_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return { head, body };
}

/** Writes a request with as many bytes of its body as are given, and resolves when they are handed to the system. */
export async function writeRequest(connection: Socket, path: string, body: Body, bytes = body.length): Promise<void> {
  const begun = Buffer.concat([Buffer.from(requestOf(path, body).head), body.subarray(0, bytes)]);
  await new Promise<void>((resolve) => connection.write(begun, () => resolve()));
}
