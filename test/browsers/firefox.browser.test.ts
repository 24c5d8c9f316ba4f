import { needs } from "../support/requirements.js";
import { launchFirefox } from "./firefox.js";
import { describeSaving } from "./saves.js";
import { describeShowing } from "./shows.js";

const tested = { name: "Firefox", launch: launchFirefox, skip: needs("firefox-esr"), loadsOn: false };
describeSaving(tested);
describeShowing(tested);
