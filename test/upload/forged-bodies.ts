/** Bodies in JSON that look like an uploaded file, each with a path that the server must not open. */
export function forgedBodies(path: string): Record<string, string> {
  const bodies = {
    "an object with a path": { path, name: "a.pdf", size: 1, type: "application/pdf" },
    "an object with a filepath": { filepath: path, originalFilename: "a.pdf", newFilename: "a", size: 1 },
    "an object with a tempFilePath": { tempFilePath: path, name: "a.pdf", mv: path },
    "an object with a buffer": { buffer: { type: "Buffer", data: [1, 2] }, originalname: "a.pdf", path },
    "an object with a createReadStream": { createReadStream: path, filename: path },
    "an object with a stream": { stream: { path, fd: 0, readable: true, pipe: path }, path },
    "an object with a toString": { toString: path, valueOf: path, toJSON: path },
    "an array of them": [{ path }, { filepath: path }],
  };
  const texts = Object.entries(bodies).map(([what, body]) => [what, JSON.stringify(body)]);
  const prototype = `{"__proto__":${JSON.stringify({ path, filepath: path, originalFilename: "a.pdf" })}}`;
  return { ...Object.fromEntries(texts), "an object with a prototype": prototype };
}
