const END_OF_HEAD = "\r\n\r\n";

/** A whole answer. */
export interface WholeAnswer {
  status: number;
  /** The bytes of the body. */
  length: number;
}

/**
 * Reads the answers of one HTTP/1.1 connection, one after the other: a status, a Content-Length, and that many bytes, which it
 * only counts.
 */
export class AnswerReader {
  /** What has come of a head that is not complete. */
  private head: Buffer = Buffer.alloc(0);
  private answer: WholeAnswer | undefined;
  /** The bytes of the body that have not come yet. */
  private left = 0;

  /**
   * Takes what has arrived, and gives the answer that ends with it. Its memory may be overwritten afterwards.
   *
   * @throws Error for what is no such answer, and for bytes behind its end: nothing more was asked for.
   */
  read(bytes: Buffer): WholeAnswer | undefined {
    const body = this.answer ? bytes : this.readHead(bytes);
    this.left -= body.length;
    if (this.left < 0) throw new Error(`There are ${-this.left} bytes behind the end of an answer.`);
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
  // It has no body, whatever length it names.
  if (status === 304) return { status, length: 0 };
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (!status || length === undefined) throw new Error(`This answer is not understood:\n${head}`);
  return { status, length: Number(length) };
}
