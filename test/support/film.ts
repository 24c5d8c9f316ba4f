import { readdir } from "node:fs/promises";
import type { TestContext } from "node:test";
import { addFilm, Film, type FilmApplication, type FilmOptions } from "../../src/testing/fixture/film.js";
import { type Application, type StartOptions, startApplication } from "./application.js";

export { Film, filmOf } from "../../src/testing/fixture/film.js";

/** What an application with a film is started with. */
export type WithFilm = Partial<StartOptions> & FilmOptions;

/** Starts an application with one film; it is closed when the test is over. */
export async function withFilm(
  t: TestContext,
  { content, beforeDownload, ...options }: WithFilm = {},
): Promise<FilmApplication<Application>> {
  const application = await startApplication({ entities: [Film], ...options });
  t.after(() => application.close());
  return addFilm(application, { content, beforeDownload });
}

/** How many descriptors this process has open, where the system lists them. */
export async function descriptors(): Promise<number> {
  return (await readdir("/proc/self/fd")).length;
}
