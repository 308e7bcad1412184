import { visible } from "../text/visible.ts";

/** How much of a value is shown. */
export interface ValueBounds {
  /** Characters of the whole text; what is longer is cut, and says so. */
  readonly length: number;
  /** Levels of nesting. */
  readonly depth: number;
  /** Members of one array, map, set or object, and bytes of one byte array. */
  readonly members: number;
}

const BOUNDS: ValueBounds = { length: 160, depth: 4, members: 24 };
const CUT = "…";
const NAME = /^[A-Za-z_$][\w$]*$/;

/**
 * A value on one line, visible to the last character. Values that a job can tell apart look different: 0 and -0, 1
 * and 1n, a date and its text, a Map and an object, nothing and null. Properties come in the order of their names, so
 * that equal values have one text; members of maps and sets in their own order, which counts.
 */
export function valueText(value: unknown, bounds: Partial<ValueBounds> = {}): string {
  const writer = new ValueWriter({ ...BOUNDS, ...bounds });
  writer.write(value, 0);
  return writer.text();
}

/** Stops as soon as enough is written: values may be large, and may contain themselves. */
class ValueWriter {
  readonly #bounds: ValueBounds;
  readonly #parts: string[] = [];
  #length = 0;

  constructor(bounds: ValueBounds) {
    this.#bounds = bounds;
  }

  text(): string {
    const text = this.#parts.join("");
    const { length } = this.#bounds;
    return text.length <= length ? text : `${cutAt(text, Math.max(0, length - CUT.length))}${CUT}`;
  }

  write(value: unknown, depth: number): void {
    if (typeof value !== "object" || value === null) this.#add(this.#primitive(value));
    else if (value instanceof Uint8Array) this.#bytes(value);
    else if (value instanceof Date) this.#add(dateText(value));
    else if (depth >= this.#bounds.depth) this.#add(CUT);
    else if (Array.isArray(value)) this.#members("[", value, "]", (one) => this.write(one, depth + 1));
    else if (value instanceof Map) this.#members(`Map(${value.size}){`, value, "}", (pair) => this.#pair(pair as readonly [unknown, unknown], depth));
    else if (value instanceof Set) this.#members(`Set(${value.size}){`, value, "}", (one) => this.write(one, depth + 1));
    else this.#object(value as Readonly<Record<string, unknown>>, depth);
  }

  #primitive(value: unknown): string {
    switch (typeof value) {
      case "string":
        // What is cut off need not be quoted first.
        return visible(JSON.stringify(value.length > this.#bounds.length ? value.slice(0, this.#bounds.length) : value));
      case "bigint":
        return `${value}n`;
      case "number":
        return Object.is(value, -0) ? "-0" : String(value);
      case "symbol":
      case "function":
        return `<${typeof value}>`;
      default:
        return String(value);
    }
  }

  #pair([key, value]: readonly [unknown, unknown], depth: number): void {
    this.write(key, depth + 1);
    this.#add(" => ");
    this.write(value, depth + 1);
  }

  #object(value: Readonly<Record<string, unknown>>, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    const isPlain = prototype === Object.prototype || prototype === null;
    const kind = isPlain ? "" : `${visible(String((value.constructor as { readonly name?: unknown } | undefined)?.name ?? "object"))} `;
    this.#members(`${kind}{`, Object.keys(value).sort(), "}", (name) => {
      this.#add(`${NAME.test(name) ? name : visible(JSON.stringify(name))}: `);
      this.write(value[name], depth + 1);
    });
  }

  #members<T>(open: string, members: Iterable<T>, close: string, write: (member: T) => void): void {
    this.#add(open);
    let count = 0;
    for (const member of members) {
      if (count > 0) this.#add(", ");
      if (count === this.#bounds.members || this.#isFull) {
        this.#add(CUT);
        break;
      }
      write(member);
      count += 1;
    }
    this.#add(close);
  }

  #bytes(bytes: Uint8Array): void {
    const shown = Array.from(bytes.subarray(0, this.#bounds.members), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    this.#add(`<${bytes.length} bytes${shown === "" ? "" : `: ${shown}`}${bytes.length > this.#bounds.members ? ` ${CUT}` : ""}>`);
  }

  get #isFull(): boolean {
    return this.#length > this.#bounds.length;
  }

  #add(text: string): void {
    if (this.#isFull) return;
    this.#parts.push(text);
    this.#length += text.length;
  }
}

function dateText(date: Date): string {
  const ms = date.getTime();
  return Number.isNaN(ms) ? "Date(invalid)" : `Date(${date.toISOString()})`;
}

/** The first characters, no surrogate pair cut in two. */
function cutAt(text: string, length: number): string {
  const code = text.charCodeAt(length - 1);
  return text.slice(0, code >= 0xd800 && code <= 0xdbff ? length - 1 : length);
}
