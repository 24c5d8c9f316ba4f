import type { TestContext } from "node:test";
import type { StallOptions } from "../../delivery/stall-options.js";
import type { ApplicationOptions } from "../fixture/application.js";
import type { FilmApplication, FilmOptions } from "../fixture/film.js";

/** A delivery to test. */
export interface Subject {
  /** Starts an application that sends its film with the delivery. It is closed after the test. */
  withFilm(t: TestContext, options?: SubjectOptions): Promise<FilmApplication>;
  /** Whether the long tests run in full. */
  thorough: boolean;
}

/** What the application of a test is started with. */
type SubjectOptions = FilmOptions & Pick<ApplicationOptions, "before"> & StallOptions;
