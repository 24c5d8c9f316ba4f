import { koaSendDelivery, streamDelivery } from "typeorm-private-files";
import { koaSendSite, usualCompanions } from "./koa-send-site.js";
import { privateFilesSite } from "./private-files-site.js";
import type { Site, SiteFolders } from "./site.js";

/** A kind of server that the cases are put to. */
export interface Kind {
  /** What it is called in titles and tables. */
  name: string;
  /** Whether it is this package. */
  ours: boolean;
  /** Whether that is how it sends files unless it is told otherwise. */
  isDefault?: boolean;
  /** Sets it up. */
  start(folders: SiteFolders): Site | Promise<Site>;
}

/** All kinds, in the order of the columns of the comparison. */
export const kinds: Kind[] = [
  {
    name: "streamDelivery()",
    ours: true,
    isDefault: true,
    start: (folders) => privateFilesSite(folders, streamDelivery()),
  },
  { name: "koaSendDelivery()", ours: true, start: (folders) => privateFilesSite(folders, koaSendDelivery()) },
  { name: "koa-send", ours: false, start: (folders) => koaSendSite(folders) },
  { name: "koa-send and companions", ours: false, start: (folders) => koaSendSite(folders, usualCompanions()) },
];
