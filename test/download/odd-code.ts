import { DownloadError } from "typeorm-private-files";

/** How many bytes each file has: more than one chunk. */
export const SIZE = 70_000;

/** The functions of an application, and what storages say, that a case may change. */
export const PLACES = [
  ...(["condition", "where", "filename", "uploadTo"] as const),
  ...(["beforeDownload", "afterDownload", "downloadDenied", "deliver"] as const),
  ...(["stat", "open", "size", "modifiedAt", "etag", "read", "close", "stream", "chunk"] as const),
] as const;

/** What a function may do with a value. */
export const WAYS = ["return", "resolve", "reject", "throw", "reject later"] as const;

/** What a function of an application does. */
export interface Case {
  place: (typeof PLACES)[number];
  way: (typeof WAYS)[number];
  /** Its index in {@link VALUES}. */
  value: number;
}

/** Does what a case says. */
export function run({ way, value }: Case): unknown {
  const one = VALUES[value]!();
  if (way === "throw") throw one;
  if (way === "reject") return Promise.reject(one);
  if (way === "resolve") return Promise.resolve(one);
  if (way === "reject later") return new Promise((_, reject) => setTimeout(reject, 5, one));
  return one;
}

/** A promise that never settles. */
export function pending(): Promise<never> {
  return new Promise(() => {});
}

/** Objects that throw when they are looked at. Node.js itself ends the process when a stream fails with one. */
export const UNREADABLE: (() => unknown)[] = [
  () => revoked(),
  () => new Proxy({}, throwingTraps()),
  () => new Proxy(new Error("behind a proxy"), throwingTraps()),
];

/** Values of every type, and errors with every kind of property. Each is made anew. */
export const VALUES: (() => unknown)[] = [
  ...[undefined, null, true, false, 0, -0, 1, -1, 3, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 10n],
  ...["", "text", "a/\u2028\u202e\r\n\u0000", "../../x", "é".repeat(3000), Symbol("s"), Symbol.iterator],
].map((value) => () => value);
VALUES.push(
  () => () => "called",
  () => ({}),
  () => [],
  () => new Map([["a", 1]]),
  () => new Date(Number.NaN),
  () => Buffer.from("bytes"),
  () => new Uint8Array(9),
  () => Object.create(null),
  pending,
  // biome-ignore lint/suspicious/noThenProperty: it is what a function may return.
  () => ({ then: (_: unknown, reject: (error: unknown) => void) => reject(new Error("from a thenable")) }),
  () => ({
    // biome-ignore lint/suspicious/noThenProperty: it is what a function may return.
    get then() {
      throw new Error("then can't be read");
    },
  }),
  ...UNREADABLE,
  () => ({ size: Number.NaN, modifiedAt: new Date(), read: () => 1, close: () => {} }),
  () => ({ size: 100, modifiedAt: new Date(), read: () => 50, close: () => {} }),
  () => ({
    size: 100,
    modifiedAt: new Date(),
    read: () => 500,
    close: () => {
      throw new Error("close");
    },
  }),
  () => ({ size: 100, modifiedAt: new Date(), read: async () => "50", close: () => Promise.reject(undefined) }),
  () => ({ size: 10, modifiedAt: new Date(), read: (buffer: Buffer) => buffer.length, close: undefined }),
  () => ({ size: 10, modifiedAt: "yesterday", read: (buffer: Buffer) => buffer.length, close: () => {} }),
  () => ({
    get size() {
      throw new Error("no size");
    },
  }),
  () => Object.freeze(new Error("frozen")),
  () => new Error("a\u2028b\u202e\r\nc"),
  () => Object.assign(new Error(), { message: undefined, stack: undefined, name: null }),
  () => Object.defineProperty(new Error("x"), "stack", { get: throwing }),
  () => Object.defineProperty(new Error("x"), "status", { get: throwing }),
  () => Object.defineProperty(new Error("x"), "headers", { get: throwing }),
  () => Object.defineProperty(new Error("x"), "message", { get: throwing }),
  () => Object.freeze(new DownloadError(404, "ERR_PRIVATE_FILE_NOT_FOUND", "frozen")),
  () => new DownloadError(Number.NaN, "ERR_PRIVATE_FILE_FAILED", "x", { headers: { "bad name": "\n" }, expose: true }),
  () =>
    Object.assign(new Error("itself"), {
      get cause() {
        return this;
      },
      code: "EMFILE",
    }),
  () => {
    const error: Error = new Error("a circle");
    error.cause = error;
    return error;
  },
);
const STATUSES = [200, 304, 399, 400, 404, 450.5, 499, 500, 599, 600, Number.NaN, "404", null, -1, {}, 404n];
const HEADERS = [
  ...[null, undefined, "text", 5, [], [["a", "b"]], { "X-File": "日本.pdf" }, { "X-File": undefined }, { "": "x" }],
  ...[{ "bad name": "x" }, { "X-A": "a\r\nX-B: b" }, { "X-A": {} }, { "X-A": ["a", 5] }, { "X-A": Symbol("x") }],
  ...[{ "Content-Length": "9999" }, { "Transfer-Encoding": "chunked" }, { Connection: "close" }, { Trailer: "x" }],
  ...[
    { ":status": "200" },
    { "Content-Encoding": "gzip" },
    { "Set-Cookie": "a=b" },
    { "Content-Range": "bytes 1-2/3" },
  ],
];
for (const status of STATUSES) VALUES.push(() => Object.assign(new Error("status"), { status, expose: true }));
for (const headers of HEADERS) {
  VALUES.push(() => Object.assign(new Error("headers"), { status: 403, headers, expose: true }));
  VALUES.push(() => ({ status: 503, headers, expose: "yes", message: { toString: throwing } }));
}

function throwing(): never {
  throw new Error("a getter that throws");
}

function throwingTraps(): ProxyHandler<object> {
  return {
    get: throwing,
    has: throwing,
    getPrototypeOf: throwing,
    ownKeys: throwing,
    getOwnPropertyDescriptor: throwing,
  };
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
