import { CountedDownload } from "./counted-download.js";
import { DownloadCounter } from "./download-counter.js";
import { FileSubmission } from "./file-submission.js";
import { User } from "./user.js";

/** What a data source is told of the site's tables. */
export const entities = [User, FileSubmission, CountedDownload];

/** What it tells of their changes and downloads. */
export const subscribers = [DownloadCounter];
