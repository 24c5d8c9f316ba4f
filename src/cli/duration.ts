const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The seconds of `90`, `90s`, `30m`, `24h` or `7d`; `undefined` for all else. */
export function durationSeconds(text: string): number | undefined {
  const match = /^(\d{1,10}(?:\.\d{1,6})?)([smhd]?)$/.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * SECONDS[(match[2] || "s") as keyof typeof SECONDS];
}
