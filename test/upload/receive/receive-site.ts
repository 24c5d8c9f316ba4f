import { readdir } from "node:fs/promises";
import type { Context } from "koa";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, UploadError } from "typeorm-private-files";
import { type Application, type StartOptions, startApplication } from "../../support/application.js";

/** What the forms of the tests are about. */
@Entity()
export class Submission {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: "" }) course!: string;
  @Column({ default: "" }) name!: string;
  @Column({ nullable: true, type: String }) digest!: string | null;
  @PrivateFileColumn<Submission>({
    uploadTo: (submission, filename) => `courses/${submission.course || "none"}/${filename}`,
    condition: () => true,
    maxSize: 1_000_000,
    fields: { name: "name", sha256: "digest" },
  })
  file!: PrivateFile;
  @PrivateFileColumn<Submission>({ uploadTo: "images", accept: ["image/png"], nullable: true })
  image!: PrivateFile | null;
}

/** A server that does with POST requests what a test says. */
export interface ReceiveSite extends Application {
  /** Answers the next requests. */
  handle: (ctx: Context) => Promise<unknown>;
  /** What the last request failed with. */
  error?: unknown;
  /** All that lies in the storage, temporary files included. */
  stored(): Promise<string[]>;
}

/** Starts one. It answers 201, or what Koa makes of the error. */
export async function startReceiveSite(options: Omit<StartOptions, "entities"> = {}): Promise<ReceiveSite> {
  const application = await startApplication({
    ...options,
    entities: [Submission],
    before(app) {
      app.silent = true;
      app.use(async (ctx, next) => {
        if (ctx.method !== "POST") return next();
        site.error = undefined;
        ctx.status = 201;
        try {
          await site.handle(ctx as Context);
        } catch (error) {
          site.error = error;
          throw error;
        }
      });
    },
  });
  const site: ReceiveSite = Object.assign(application, {
    handle: async () => {},
    stored: async () => {
      const entries = await readdir(application.storage.root, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
  });
  return site;
}

/** The form fields of an upload that was refused, or `undefined` where the error is no such refusal. */
export function refusal(error: unknown): Pick<UploadError, "reason" | "status" | "property" | "details"> | undefined {
  if (!(error instanceof UploadError)) return undefined;
  const { reason, status, property, details } = error;
  return { reason, status, property, details: { ...details, texts: { ...details.texts } } };
}
