import type { Random } from "../random.js";
import { ADOPTIONS } from "./adoptions.js";
import { CASCADES } from "./cascades.js";
import type { Kind } from "./change.js";
import { COPIES } from "./copies.js";
import { CRITERIA } from "./criteria.js";
import { KEEPSAKES } from "./keepsakes.js";
import { RAW_SQL } from "./raw-sql.js";
import { RETRIES } from "./retries.js";
import { SAVES } from "./saves.js";
import { SHARING } from "./sharing.js";
import { SOFT_REMOVALS } from "./soft-removals.js";

/** Every kind of change. */
export const KINDS: readonly Kind[] = [
  ...[SAVES, CASCADES, COPIES, ADOPTIONS, SHARING, RAW_SQL, RETRIES, SOFT_REMOVALS, CRITERIA, KEEPSAKES].flat(),
];

/** One of some kinds, by their weights. */
export function pickKind(random: Random, kinds: readonly Kind[]): Kind {
  let left = random.next() * kinds.reduce((sum, { weight }) => sum + weight, 0);
  for (const kind of kinds) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  return kinds.at(-1)!;
}
