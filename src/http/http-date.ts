/**
 * Reads a date of an HTTP header, in any of the three forms that RFC 9110 §5.6.7 has: IMF-fixdate, RFC 850 and asctime.
 *
 * Anything else is `undefined`: other forms such as ISO 8601, other upper and lower case, another zone than GMT, and
 * dates that no calendar has, such as 31 February. The name of the weekday has to be one, but need not be the right
 * one. The leap second 23:59:60 is the second after 23:59:59. A year of two digits (RFC 850) is the latest one that is
 * no more than fifty years ahead. Never throws.
 *
 * @param value The field's value, without spaces around it.
 * @param now What the fifty years count from. (default: the present)
 */
export function parseHttpDate(value: string, now: Date = new Date()): Date | undefined {
  const parts = FOUR_DIGIT_YEAR_FORMS.map((form) => form.exec(value)?.groups).find(Boolean);
  if (parts !== undefined) return toDate(Number(parts.year), parts);
  const rfc850 = RFC_850.exec(value)?.groups;
  return rfc850 && withTwoDigitYear(rfc850, now);
}

/**
 * Writes a date the way HTTP headers want it, as an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
 * What goes beyond whole seconds is cut off, never rounded up: a `Last-Modified` is not to lie in the future.
 *
 * @throws {RangeError} for an invalid date, and for a year that does not have four digits in HTTP (0 to 9999).
 */
export function formatHttpDate(date: Date): string {
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw new RangeError(`HTTP has no form for this date: ${date.getTime()}.`);
  return date.toUTCString();
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_WEEKDAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";
const MONTH = `(?<month>${MONTHS.join("|")})`;
const TIME = "(?<time>\\d\\d:\\d\\d:\\d\\d)";

const FOUR_DIGIT_YEAR_FORMS = [
  new RegExp(`^${WEEKDAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${WEEKDAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];
const RFC_850 = new RegExp(`^${LONG_WEEKDAY}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`);

type DateParts = Record<string, string>;

function withTwoDigitYear(parts: DateParts, now: Date): Date | undefined {
  const limit = new Date(now);
  limit.setUTCFullYear(now.getUTCFullYear() + 50);
  const year = Math.floor(limit.getUTCFullYear() / 100) * 100 + Number(parts.year);
  const latest = toDate(year, parts);
  return latest && latest <= limit ? latest : toDate(year - 100, parts);
}

function toDate(year: number, { month = "", day = "", time = "" }: DateParts): Date | undefined {
  const leapSecond = time === "23:59:60";
  const monthNumber = MONTHS.indexOf(month) + 1;
  const calendarDay = [padded(year, 4), padded(monthNumber, 2), padded(Number(day), 2)].join("-");
  const iso = `${calendarDay}T${leapSecond ? "23:59:59" : time}.000Z`;
  const date = new Date(iso);
  // JavaScript takes 31 February for 3 March: only a date that reads back the same is one.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso) return undefined;
  return leapSecond ? new Date(date.getTime() + 1000) : date;
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
