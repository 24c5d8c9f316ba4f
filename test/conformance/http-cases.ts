import type { Case } from "./case.js";
import { conditionCases } from "./conditions.js";
import { dateConditionCases } from "./date-conditions.js";
import { headerCases } from "./headers.js";
import { hugeFileCases } from "./huge-files.js";
import { ifRangeCases } from "./if-range.js";
import { methodCases } from "./methods.js";
import { multipartCases } from "./multipart.js";
import { rangeCases } from "./ranges.js";

/** HTTP to the letter: RFC 9110, and what keeps a file private in a browser. */
export const httpCases: Case[] = [
  ...rangeCases,
  ...multipartCases,
  ...hugeFileCases,
  ...dateConditionCases,
  ...conditionCases,
  ...ifRangeCases,
  ...methodCases,
  ...headerCases,
];
