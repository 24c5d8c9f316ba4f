/** How many seconds the uploads of archives may be saved again. No other timer of the tests takes as long. */
export const RETRY_FOR = 61;

const due: (() => unknown)[] = [];

globalThis.setTimeout = new Proxy(globalThis.setTimeout, {
  apply(target, self, given: Parameters<typeof setTimeout>) {
    if (given[1] === RETRY_FOR * 1000) due.push(given[0] as () => unknown);
    return Reflect.apply(target, self, given);
  },
});

/**
 * Lets the time pass after which uploads are deleted that no row got, and waits until they are.
 *
 * @param count of how many of these times, the earliest first. (default: all)
 */
export async function letUploadsExpire(count = due.length): Promise<void> {
  await Promise.all(due.splice(0, count).map((discard) => discard()));
}
