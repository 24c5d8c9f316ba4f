import { needs } from "../support/requirements.js";
import { describeSaving } from "./saves.js";
import { describeShowing } from "./shows.js";
import { launchWebKit } from "./webkit.js";

const tested = { name: "WebKit", launch: launchWebKit, skip: needs("WebKitWebDriver", "Xvfb"), loadsOn: true };
describeSaving(tested);
describeShowing(tested);
