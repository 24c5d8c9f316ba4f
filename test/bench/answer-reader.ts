const END_OF_HEAD = "\r\n\r\n";

/** A whole answer. */
export interface WholeAnswer {
  status: number;
  /** The bytes of the body. */
  length: number;
}

/**
 * Reads the answers of an HTTP/1.1 connection, one after the other: a status, a Content-Length, and a body, whose bytes it only
 * counts.
 */
export class AnswerReader {
  /** The beginning of a head that is not complete yet. */
  private head: Buffer = Buffer.alloc(0);
  private answer: WholeAnswer | undefined;
  /** The bytes of the body that have not arrived yet. */
  private left = 0;

  /**
   * Takes the bytes that have arrived, and returns the answer if it ends with them. Their memory may be overwritten afterwards.
   *
   * @throws Error for a malformed answer, and for bytes after its end: no other request was made.
   */
  read(bytes: Buffer): WholeAnswer | undefined {
    const body = this.answer ? bytes : this.readHead(bytes);
    this.left -= body.length;
    if (this.left < 0) throw new Error(`There are ${-this.left} bytes after the end of an answer.`);
    if (this.left > 0 || !this.answer) return undefined;
    const { answer } = this;
    this.answer = undefined;
    return answer;
  }

  /** The bytes behind the head. */
  private readHead(bytes: Buffer): Buffer {
    const all = this.head.length === 0 ? bytes : Buffer.concat([this.head, bytes]);
    const end = all.indexOf(END_OF_HEAD);
    if (end < 0) {
      this.head = Buffer.from(all);
      return Buffer.alloc(0);
    }
    this.head = Buffer.alloc(0);
    this.answer = parseHead(all.toString("latin1", 0, end));
    this.left = this.answer.length;
    return all.subarray(end + END_OF_HEAD.length);
  }
}

function parseHead(head: string): WholeAnswer {
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  // A 304 has no body, even if it has a Content-Length.
  if (status === 304) return { status, length: 0 };
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (!status || length === undefined) throw new Error(`This answer is not understood:\n${head}`);
  return { status, length: Number(length) };
}
