import type { TimestampMs } from "../engine/base/units.ts";

/** Dates by hand: `Date.parse` depends on the time zone of the machine. Proleptic Gregorian, years 1 to 9999. */

const DAYS_BEFORE_MONTH: readonly number[] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_BEFORE_1970 = daysBeforeYear(1970);

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** UTC milliseconds of midnight at the start of a day; the caller has checked that the day exists. */
export function dayStartMs(year: number, month: number, day: number): TimestampMs {
  const leapDay = month > 2 && isLeapYear(year) ? 1 : 0;
  const days = daysBeforeYear(year) + (DAYS_BEFORE_MONTH[month - 1] ?? 0) + leapDay + day - 1;
  return (days - DAYS_BEFORE_1970) * 86_400_000;
}

function daysBeforeYear(year: number): number {
  const full = year - 1;
  return full * 365 + Math.floor(full / 4) - Math.floor(full / 100) + Math.floor(full / 400);
}

const FORM =
  /^(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?)?(?:Z)?$/;

/**
 * Reads "2001/01/31 06:55", "2001-01-31T06:55:30.250Z" and the forms between; null where the text is no
 * date or names a moment that does not exist (31 April, 24:00).
 */
export function parseDateMs(text: string): TimestampMs | null {
  const parts = FORM.exec(text);
  if (parts === null) return null;
  const part = (index: number): number => Number(parts[index] ?? "0");
  const year = part(1);
  const month = part(3);
  const day = part(4);
  const hour = part(5);
  const minute = part(6);
  const second = part(7);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  const ms = Number((parts[8] ?? "0").padEnd(3, "0"));
  return dayStartMs(year, month, day) + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
}
