import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { Column, Entity, ManyToOne, PrimaryGeneratedColumn, type Relation } from "typeorm";
import {
  type AttachOptions,
  type CheckOptions,
  DiskStorage,
  type DiskStorageOptions,
  fromPath,
  type KoaSendDeliveryOptions,
  koaSendDelivery,
  type MulterStorageOptions,
  multerStorage,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileColumnOptions,
  PrivateFileError,
  PrivateFiles,
  type PrivateFilesOptions,
  privateFileColumn,
  type RemoveOptions,
  type StallOptions,
  type SweepOptions,
  streamDelivery,
} from "typeorm-private-files";
import { type Application, startApplication } from "./support/application.js";
import { sqljs } from "./support/databases.js";
import { MemoryStorage } from "./support/memory-storage.js";

@Entity()
class Customer {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Customer, { nullable: true }) parent!: Relation<Customer> | null;
}

class Address {
  @ManyToOne(() => Customer, { nullable: true }) contact!: Relation<Customer> | null;
}

@Entity()
class Invoice {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Customer, { nullable: true }) customer!: Relation<Customer> | null;
  @Column(() => Address) address!: Address;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

let application: Application;
let invoice: Invoice;
before(async () => {
  application = await startApplication({ entities: [Customer, Invoice] });
  invoice = application.dataSource.manager.create(Invoice, {});
  await application.files.attach(invoice, "scan", Buffer.from("scan"), { filename: "scan.pdf" });
  await application.dataSource.manager.save(invoice);
});
after(() => application.close());

/** A public function with options, and values that each of them must refuse. */
interface Subject<O> {
  /** What messages begin with. */
  name: string;
  call(options: O): unknown;
  wrong: Record<keyof Required<O>, unknown[]>;
}

const notText = [null, 5, true, {}, ["a"], Symbol("a"), () => "a"];
const notBoolean = [null, 0, "true", {}];
const notFunction = [null, true, "() => true", {}];
const notSeconds = [null, "10", 0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e9, {}];
const notSignal = [null, true, new AbortController(), {}];
const notStorage = [
  null,
  "var/private",
  DiskStorage,
  {},
  { ...new MemoryStorage(), put() {} },
  storageWith({ open: true }),
];
const notDelivery = [
  null,
  "stream",
  streamDelivery,
  {},
  { deliver: true },
  { deliver() {}, ranges: "none" },
  { deliver() {}, opens: "no" },
];

const column: Subject<PrivateFileColumnOptions>["wrong"] = {
  uploadTo: [null, 5, {}, "/var", "../up", "a//b", "%Q"],
  condition: [...notFunction, undefined],
  where: [...notFunction, undefined],
  attachment: [...notBoolean, "inline"],
  relations: [null, true, "owner", ["owner"]],
  filename: notFunction,
  maxSize: [null, 0, -1, 1.5, "20MB", Number.POSITIVE_INFINITY],
  accept: [
    null,
    "image/*",
    [],
    [5],
    ["pdf"],
    ["*/*"],
    ["*"],
    ["."],
    [".tar.gz"],
    ["image/"],
    ["image/png, .pdf"],
    new Set([".pdf"]),
  ],
  fields: [null, "name", ["name"], { nmae: "title" }, { name: 5 }, { name: null }, { size: 5 }, { md5: "digest" }],
  cacheControl: [null, 5, {}, async () => "private, no-store"],
  storage: notStorage,
  delivery: notDelivery,
  name: notText,
  type: [null, 5, "bytea", Number],
  length: [null, 0, -1, 1.5, "many", {}],
  nullable: notBoolean,
  unique: notBoolean,
  select: notBoolean,
  comment: notText,
  charset: [
    5,
    true,
    {},
    "",
    "latin1",
    "utf8",
    "utf8mb4",
    "us-ascii",
    " utf-8",
    "utf-8; x=y",
    "utf-8\r\n",
    "x-user-defined",
  ],
  columnCharset: notText,
  collation: notText,
  default: [5, {}, true],
};

const subjects: Subject<never>[] = [
  subject<PrivateFileColumnOptions>({
    name: "Wrong.file",
    call: (options) => PrivateFileColumn(options)(class Wrong {}.prototype as object, "file"),
    wrong: column,
  }),
  subject<PrivateFileColumnOptions>({ name: "privateFileColumn", call: privateFileColumn, wrong: column }),
  subject<PrivateFilesOptions>({
    name: "PrivateFiles",
    call: (options) => new PrivateFiles(application.dataSource, options),
    wrong: {
      storage: notStorage,
      delivery: notDelivery,
      prefix: [null, 5, "", "files", "/files/", "/:tenant", "//files", "/..", "/../files", "/files/./a", "/files/.."],
      baseUrl: [
        null,
        5,
        "example.com",
        "example.com/media",
        "media",
        "//example.com",
        "ftp://example.com",
        "https://a b",
        "https://u:p@example.com",
        "https://example.com/?a",
        "https://example.com//",
        "/media/#",
        "/a/../b",
        "/a//b",
        "localhost:3000",
      ],
      timeout: notSeconds,
      retryFor: notSeconds,
      hideDenied: notBoolean,
    },
  }),
  subject<DiskStorageOptions>({
    name: "DiskStorage",
    call: (options) => new DiskStorage(application.storage.root, options),
    wrong: {
      fileMode: [null, "640", "0640", 640, 600, 644, 440, 400, 0o755, 0o044, 1.5, -1],
      folderMode: [null, "750", 750, 700, 755, 0o640, 0o600, 0o2750],
      refuseHardLinks: notBoolean,
    },
  }),
  subject<StallOptions>({ name: "streamDelivery", call: streamDelivery, wrong: { stallTimeout: notSeconds } }),
  subject<KoaSendDeliveryOptions>({
    name: "koaSendDelivery",
    call: koaSendDelivery,
    wrong: {
      stallTimeout: notSeconds,
      maxAge: [null, "1h", -1, Number.NaN, Number.POSITIVE_INFINITY],
      immutable: notBoolean,
      setHeaders: notFunction,
    },
  }),
  subject<MulterStorageOptions>({
    name: "multerStorage",
    call: multerStorage,
    wrong: { directory: [null, 5, "", "/no/such/folder", import.meta.filename] },
  }),
  subject<AttachOptions>({
    name: "Invoice.scan",
    call: (options) => application.files.attach(newInvoice(), "scan", Buffer.from("x"), options),
    wrong: {
      filename: notText,
      type: notText,
      signal: notSignal,
      sha256: [null, 5, "", "abc", `${"a".repeat(63)}g`, ["a".repeat(64)], Buffer.alloc(32)],
      onProgress: notFunction,
      stallTimeout: notSeconds,
    },
  }),
  subject<AttachOptions>({
    name: "Invoice.scan",
    call: (options) => application.files.copy(invoice, "scan", newInvoice(), "scan", options),
    wrong: {
      filename: notText,
      type: notText,
      signal: notSignal,
      sha256: [null, 5, "", "abc", `${"a".repeat(63)}g`, ["a".repeat(64)], Buffer.alloc(32)],
      onProgress: notFunction,
      stallTimeout: notSeconds,
    },
  }),
  subject<{ start?: number; end?: number }>({
    name: "PrivateFiles.open",
    call: (options) => application.files.open(invoice, "scan", options),
    wrong: { start: [null, "0", -1, 1.5, Number.NaN], end: [null, "3", -2, 1.5] },
  }),
  subject<RemoveOptions>({
    name: "PrivateFiles.remove",
    call: (options) => application.files.remove(Invoice, 4711, options),
    wrong: { manager: [null, {}, "manager"], signal: notSignal },
  }),
  subject<SweepOptions>({
    name: "PrivateFiles.sweep",
    call: (options) => application.files.sweep(options),
    wrong: {
      olderThan: [null, "24h", -1, Number.NaN, Number.POSITIVE_INFINITY],
      dryRun: notBoolean,
      prefixes: [null, "uploads/", [""], [5], ["uploads/", ""]],
      force: notBoolean,
      verify: notBoolean,
      signal: notSignal,
      onItem: notFunction,
      onProgress: notFunction,
    },
  }),
  subject<CheckOptions>({
    name: "PrivateFiles.check",
    call: (options) => application.files.check(options),
    wrong: {
      staticFolders: [null, "public", [""], [5]],
      verify: notBoolean,
      signal: notSignal,
      onProgress: notFunction,
    },
  }),
];

describe("a wrong option", () => {
  for (const { name, call, wrong } of subjects) {
    describe(`of ${name}`, () => {
      for (const [option, values] of Object.entries(wrong as Record<string, unknown[]>)) {
        it(`is refused at once, with what "${option}" must be, what it got and what to do`, async () => {
          for (const value of values) {
            const message = await messageOf(() => call({ [option]: value } as never));
            const form = new RegExp(`^${name.replace(".", "\\.")}: .*"${option}[^"]*".*\\. [A-Z].*\\.$`);
            assert.match(message, form);
            if (!/unknown option|pattern/.test(message)) assert.match(message, / must be .+, got .+\. /);
          }
        });
      }

      it("is refused when no such option exists, with all that do", async () => {
        const message = await messageOf(() => call({ upload_to: 1 } as never));
        const [, listed] = /: unknown option "upload_to"\. Use one of (.+)\.$/.exec(message)!;
        assert.deepEqual(listed!.split(", ").sort(), Object.keys(wrong).sort());
      });

      it("is refused when the options are not an object", async () => {
        for (const options of [null, "uploads", 5, true, ["uploads"]]) {
          const message = await messageOf(() => call(options as never));
          assert.match(
            message,
            new RegExp(`^${name.replace(".", "\\.")}: the options must be an object, got .+\\. Give an object with`),
          );
        }
      });
    });
  }

  it("leaves nothing behind: no upload that failed so was kept", async () => {
    const files = await readdir(application.storage.root, { recursive: true, withFileTypes: true });
    assert.deepEqual(
      files.filter((entry) => entry.isFile()).map((entry) => entry.name),
      ["scan.pdf"],
    );
  });
});

describe("an option that is undefined", () => {
  it("counts as absent, known or not", async () => {
    const undefinedOptions = (wrong: object) =>
      Object.fromEntries(Object.keys(wrong).map((option) => [option, undefined]));
    for (const { name, call, wrong } of subjects) {
      const {
        condition: _,
        where: __,
        storage: ___,
        ...options
      } = undefinedOptions(wrong) as Record<string, undefined>;
      const rest = name === "PrivateFiles" ? { storage: application.storage } : {};
      await assert.doesNotReject(async () => call({ ...options, ...rest, unknown: undefined } as never), name);
    }
  });
});

describe("a base URL", () => {
  const links: [string | undefined, string][] = [
    [undefined, ""],
    ["", ""],
    ["/", ""],
    ["/media", "/media"],
    ["/media/", "/media"],
    ["/a/%C3%A9", "/a/%C3%A9"],
    ["https://files.example.com", "https://files.example.com"],
    ["https://files.example.com/", "https://files.example.com"],
    ["http://127.0.0.1:8080/media/", "http://127.0.0.1:8080/media"],
  ];
  for (const [baseUrl, start] of links) {
    it(`of ${JSON.stringify(baseUrl)} makes links that begin with "${start}/private-files/"`, () => {
      const files = new PrivateFiles(application.dataSource, { storage: application.storage, baseUrl });
      assert.equal(files.url(invoice, "scan"), `${start}/private-files/invoice/scan/${invoice.id}/scan.pdf`);
    });
  }
});

describe("permissions of a DiskStorage", () => {
  it("are taken as octal numbers that make sense", () => {
    for (const fileMode of [0o600, 0o640, 0o644, 0o660, 0o664, 0o400, 0o440]) {
      for (const folderMode of [0o700, 0o750, 0o755, 0o710, 0o711, 0o770]) {
        assert.doesNotThrow(() => new DiskStorage(application.storage.root, { fileMode, folderMode }));
      }
    }
  });

  it("are refused as the decimal numbers that look like them, with the remedy", () => {
    assert.throws(() => new DiskStorage(application.storage.root, { fileMode: 640 }), {
      name: "ConfigurationError",
      message:
        'DiskStorage: "fileMode" must be permissions that allow the owner to read, and do not allow anyone to execute, got 640. In octal that is 1200. Write a number in octal, such as 0o640.',
    });
  });
});

describe("the relations of a column", () => {
  const declared = (relations: object) => {
    @Entity("invoice")
    class Wrong {
      @PrimaryGeneratedColumn() id!: number;
      @ManyToOne(() => Customer, { nullable: true }) owner!: Relation<Customer> | null;
      @Column(() => Address) address!: Address;
      @PrivateFileColumn({ relations }) file!: PrivateFile;
    }
    return Wrong;
  };

  const wrong: [object, string][] = [
    [
      { ownr: true },
      '"relations.ownr" must be a relation, got a property that Wrong does not have as one. Use one of owner, address.contact.',
    ],
    [{ id: true }, '"relations.id" must be a relation'],
    [{ owner: "yes" }, '"relations.owner" must be true or an object, got "yes". Give { owner: true }.'],
    [
      { owner: { parnt: true } },
      '"relations.owner.parnt" must be a relation, got a property that Customer does not have as one. Use one of parent.',
    ],
    [{ address: { contct: true } }, '"relations.address.contct" must be a relation'],
  ];
  for (const [relations, message] of wrong) {
    it(`are checked when the data source is known: ${JSON.stringify(relations)}`, async (t) => {
      const { dataSource, close } = await sqljs.open({ entities: [Customer, declared(relations)] });
      t.after(close);
      assert.throws(
        () => new PrivateFiles(dataSource, { storage: new MemoryStorage() }),
        (error: Error) => error.name === "ConfigurationError" && error.message.startsWith(`Wrong.file: ${message}`),
      );
    });
  }

  it("may be nested, also in embedded entities, and switched off", async (t) => {
    const relations = { owner: { parent: { parent: true } }, address: { contact: { parent: false } } };
    const { dataSource, close } = await sqljs.open({ entities: [Customer, declared(relations)] });
    t.after(close);
    assert.doesNotThrow(() => new PrivateFiles(dataSource, { storage: new MemoryStorage() }));
  });
});

describe("the length of a column", () => {
  const declared = (length: number, uploadTo?: string) => {
    @Entity("invoice")
    class Wrong {
      @PrimaryGeneratedColumn() id!: number;
      @PrivateFileColumn({ length, uploadTo }) file!: PrivateFile;
    }
    return Wrong;
  };
  const cases: [number, string | undefined, RegExp | undefined][] = [
    [
      20,
      undefined,
      /^Wrong\.file: "length" must be 32 or more, got 20\. Give it room for a name as well, such as 131, or/,
    ],
    [40, "scans/%y", /^Wrong\.file: "length" must be 41 or more, got 40\./],
    [32, undefined, undefined],
    [41, "scans/%y", undefined],
  ];
  for (const [length, uploadTo, message] of cases) {
    it(`must leave room for the folder, the random segment and a letter: ${length} for ${uploadTo}`, async (t) => {
      const { dataSource, close } = await sqljs.open({ entities: [declared(length, uploadTo)] });
      t.after(close);
      const make = () => new PrivateFiles(dataSource, { storage: new MemoryStorage() });
      if (message) assert.throws(make, { name: "ConfigurationError", message });
      else assert.doesNotThrow(make);
    });
  }
});

describe("an argument", () => {
  it("that is no path is refused by fromPath, and by DiskStorage", () => {
    for (const path of [undefined, null, "", 5, {}]) {
      assert.throws(() => fromPath(path as never), {
        code: "ERR_PRIVATE_FILE_UPLOAD",
        message: /^fromPath: the path must be a string that is not empty, got .+\. Give the path of a file\.$/,
      });
      assert.throws(() => new DiskStorage(path as never), {
        code: "ERR_PRIVATE_FILE_CONFIGURATION",
        message: /^DiskStorage: "root" must be the path of a folder, got .+\. Give one such as "var\/private"\.$/,
      });
    }
  });

  it("that is no key is refused by adopt", async () => {
    for (const key of [undefined, null, 5, {}]) {
      await assert.rejects(application.files.adopt(newInvoice(), "scan", key as never), {
        code: "ERR_PRIVATE_FILE_KEY",
        message: /^Key: must be a string, got .+\. Give a relative path such as/,
      });
    }
  });
});

/** The message of the typed error that a call fails with. */
async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof PrivateFileError, `${error}`);
    return error.message;
  }
  throw new Error("it was taken");
}

function subject<O>(one: Subject<O>): Subject<never> {
  return one as unknown as Subject<never>;
}

function newInvoice(): Invoice {
  return application.dataSource.manager.create(Invoice, {});
}

function storageWith(change: object): object {
  return Object.assign(new MemoryStorage(), change);
}
