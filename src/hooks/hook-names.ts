import { ConfigurationError } from "../errors.js";

const HOOKS = ["beforeDownload", "afterDownload", "downloadDenied", "beforeAttach"] as const;

/** The name of a hook. */
export type HookName = (typeof HOOKS)[number];

/** A hook of a subscriber, for messages: `DownloadCounter.beforeDownload`. */
export function hookOf(subscriber: object, name: string): string {
  return `${subscriber.constructor?.name || "A subscriber"}.${name}`;
}

/**
 * Looks for methods that were meant to be hooks, and would never be called: their name differs from that of a hook by case, or by at most
 * two letters. No hook of TypeORM's is that similar.
 *
 * @throws ConfigurationError for the first of them.
 */
export function checkHookNames(subscribers: readonly object[]): void {
  for (const subscriber of subscribers) {
    for (const name of methodsOf(subscriber)) {
      const hook = HOOKS.find((hook) => isSimilar(name, hook));
      if (hook === undefined) continue;
      throw new ConfigurationError(
        `${hookOf(subscriber, name)}: no hook has this name, so it would never be called. Rename it to "${hook}", or to a name that is less similar.`,
      );
    }
  }
}

/** The methods that a subscriber has or inherits, and functions in its own properties. Getters are not asked. */
function methodsOf(subscriber: object): Set<string> {
  const names = new Set<string>();
  for (let at = subscriber; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === "function") names.add(name);
    }
  }
  return names;
}

function isSimilar(name: string, hook: HookName): boolean {
  if (name === hook) return false;
  return name.toLowerCase() === hook.toLowerCase() || editDistance(name, hook) <= 2;
}

/** How many letters have to be added, removed or replaced to make one text of the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1];
    for (let column = 0; column < b.length; column++) {
      const replaced = previous[column]! + (letter === b[column] ? 0 : 1);
      current.push(Math.min(replaced, previous[column + 1]! + 1, current[column]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
