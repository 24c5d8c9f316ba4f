import type { Middleware } from "koa";

/** Where a site keeps files. */
export interface SiteFolders {
  /** The root of the files. */
  root: string;
  /** Another root, on a file system that can hold huge files. */
  large: string;
}

/** A file that is on the disk already. */
export interface SiteFile {
  /** Its path below the root. */
  key: string;
  /** Whether it is below the root for huge files. */
  large: boolean;
}

/** The paths under which a site serves a file. */
export interface SiteUrls {
  /** As an attachment, where the site knows the difference. */
  url: string;
  /** To be shown by the browser, where the site knows the difference. */
  shownUrl: string;
  /** What a client may put names of its own choice behind. */
  base: string;
}

/** A way to serve files that is compared. It denies a request with the header `X-Rule: deny`, and fails one with `X-Rule: fail`. */
export interface Site {
  /** Answers requests. */
  middleware: Middleware[];
  /** Makes a file known. */
  register(file: SiteFile): Promise<SiteUrls>;
  /** Tries to serve files without saying from where. @throws where that is refused. */
  serveWithoutRoot(): Middleware;
}

/** What a rule that throws says: nothing of it may reach a client. */
export const RULE_FAILURE = "SELECT secret FROM rules: no such table";
