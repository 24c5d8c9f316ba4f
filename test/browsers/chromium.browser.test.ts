import { withoutBrowser } from "../support/browser.js";
import { launchChromium } from "./chromium.js";
import { describeSaving } from "./saves.js";
import { describeShowing } from "./shows.js";

const tested = { name: "Chromium", launch: launchChromium, skip: withoutBrowser, loadsOn: false };
describeSaving(tested);
describeShowing(tested);
