import type { StreamNode } from "../../engine/graph/stream-graph.ts";
import type { Key, Namespace } from "../../engine/state/state.ts";

/** How the oracles over data name keys, windows and values in their findings. */

const TEXT_LIMIT = 160;
const DAY_MS = 86_400_000;
/** Timestamps from here on are taken for dates. */
const FIRST_DATE_MS = 100_000_000_000;

/** A value on one line, cut where it is long. */
export function describeValue(value: unknown): string {
  const text = textOf(value, 0);
  return text.length <= TEXT_LIMIT ? text : `${text.slice(0, TEXT_LIMIT)}…`;
}

function textOf(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  if (depth > 4) return "…";
  if (Array.isArray(value)) return `[${value.map((one) => textOf(one, depth + 1)).join(", ")}]`;
  if (value instanceof Map) return `Map ${textOf([...value], depth + 1)}`;
  if (value instanceof Set) return `Set ${textOf([...value], depth + 1)}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const fields = Object.entries(value).map(([name, one]) => `${name}: ${textOf(one, depth + 1)}`);
  return `{${fields.join(", ")}}`;
}

/** `key "ORD" window [2001-01-08, 2001-01-15)`. */
export function describeCell(node: StreamNode, key: Key, namespace: Namespace): string {
  const ofKey = `key ${describeValue(key)}`;
  if (node.kind !== "window" || typeof namespace !== "number") return ofKey;
  return `${ofKey} window [${describeTime(namespace)}, ${describeTime(namespace + node.sizeMs)})`;
}

/** Milliseconds of event time: a date where it is one, seconds otherwise. */
export function describeTime(timestampMs: number): string {
  if (timestampMs < FIRST_DATE_MS) return `${timestampMs / 1000}s`;
  const date = civilDate(Math.floor(timestampMs / DAY_MS));
  const seconds = (timestampMs % DAY_MS) / 1000;
  return seconds === 0 ? date : `${date}+${seconds}s`;
}

/** The Gregorian date so many days after 1970-01-01. Years are counted from March, so that leap days come last. */
function civilDate(daysSince1970: number): string {
  const days = daysSince1970 + 719_468;
  const era = Math.floor(days / 146_097);
  const ofEra = days - era * 146_097;
  const year = Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365);
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const fullYear = year + era * 400 + (month <= 2 ? 1 : 0);
  return `${fullYear}-${twoDigits(month)}-${twoDigits(day)}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}

/** "1 record", "2 records". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
