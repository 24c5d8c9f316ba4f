/** What the process ends with. */
export const ExitCode = {
  /** Nothing needs attention, or all that did was removed. */
  fine: 0,
  /** Something was found that needs attention. */
  found: 1,
  /** It could not run, or a part of it failed. */
  failed: 2,
  /** Ctrl+C, as shells have it. */
  interrupted: 130,
} as const;
