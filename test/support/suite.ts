import * as runner from "node:test";

export type { TestContext } from "node:test";

interface Options {
  /** Why the tests are skipped, in a word or two; the report counts tests by it. */
  skip?: string | boolean;
  timeout?: number;
  concurrency?: boolean | number;
}

type Test = (t: runner.TestContext) => unknown;
type Hook = (hook: () => unknown) => void;

/** Why the tests of the suite that is being defined are skipped. */
let skipped: string | boolean | undefined;

/**
 * As in `node:test`, except that a skipped suite defines its tests, each of them skipped for the reason of the suite. So the
 * report can say how many tests a missing server costs.
 */
export function describe(title: string, ...rest: [() => void] | [Options, () => void]): void {
  const [{ skip, ...options }, define] = withOptions(rest);
  const outer = skipped;
  skipped ||= skip;
  try {
    runner.describe(title, options, define);
  } finally {
    skipped = outer;
  }
}

/** As in `node:test`, except that it is skipped with its suite. */
export function it(title: string, ...rest: [Test] | [Options, Test]): void {
  const [options, test] = withOptions(rest);
  runner.it(title, { ...options, skip: skipped || options.skip }, test as runner.TestFn);
}

/** The hooks of `node:test`, except that those of a skipped suite do nothing. */
export const [before, after, beforeEach, afterEach] = [
  runner.before,
  runner.after,
  runner.beforeEach,
  runner.afterEach,
].map(
  (hook): Hook =>
    (fn) =>
      skipped ? undefined : hook(fn as runner.HookFn),
) as [Hook, Hook, Hook, Hook];

function withOptions<F>(rest: [F] | [Options, F]): [Options, F] {
  return rest.length === 1 ? [{}, rest[0]] : rest;
}
