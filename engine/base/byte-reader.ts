import { invariant } from "./assert.ts";
import { compareRanges } from "./byte-order.ts";

/** Thrown when bytes do not hold what their format says: truncated, damaged or made up. */
export class CorruptBytesError extends Error {
  override readonly name = "CorruptBytesError";
}

/** Characters gathered before they become a string: far below the argument limit of any engine. */
const TEXT_CHUNK = 1024;
/** Up to here characters are strung together one by one, and remembered. */
const SHORT_TEXT = 24;
/** Short texts that a reader remembers; a power of two. */
const REMEMBERED_TEXTS = 64;
/** Short texts that a reader reads before it begins to remember them: many read only a few. */
const FORGOTTEN_TEXTS = 8;
/** What the last byte of the longest number counts: 2 to the 49th, the eighth byte. */
const LAST_SCALE = 0x2000000000000;

/** Reads what ByteWriter wrote. Whatever the bytes are, it gives a value or throws CorruptBytesError. */
export class ByteReader {
  private source: Uint8Array;
  /** Made for the first number that needs it: many readers only read small parts. */
  private view: DataView | null = null;
  private end: number;
  private at: number;
  /** Short texts by a hash of their bytes: names of properties come again with every record. */
  private remembered: (string | undefined)[] | null = null;
  private shortTexts = 0;

  constructor(source: Uint8Array, start: number = 0, end: number = source.length) {
    invariant(start >= 0 && start <= end && end <= source.length, "a reader covers a range inside its bytes");
    this.source = source;
    this.at = start;
    this.end = end;
  }

  /** Goes on with other bytes. What it remembers of short texts stays: records of one kind share them. */
  reopen(source: Uint8Array, start: number = 0): void {
    invariant(start >= 0 && start <= source.length, "a reader covers a range inside its bytes");
    this.source = source;
    this.view = null;
    this.at = start;
    this.end = source.length;
  }

  get position(): number {
    return this.at;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  /** Fails the read; `fact` says what is wrong at the current position. */
  corrupt(fact: string): never {
    throw new CorruptBytesError(`byte ${this.at}: ${fact}`);
  }

  u8(): number {
    if (this.at >= this.end) this.corrupt("1 byte expected, 0 left");
    return this.source[this.at++]!;
  }

  u16(): number {
    const start = this.take(2);
    return this.source[start]! | (this.source[start + 1]! << 8);
  }

  u32(): number {
    const start = this.take(4);
    const s = this.source;
    return (s[start]! | (s[start + 1]! << 8) | (s[start + 2]! << 16) | (s[start + 3]! << 24)) >>> 0;
  }

  f64(): number {
    const source = this.source;
    this.view ??= new DataView(source.buffer, source.byteOffset, source.byteLength);
    return this.view.getFloat64(this.take(8), true);
  }

  /** Only the shortest form is accepted, so that a number has one encoding. */
  varuint(): number {
    let byte = this.u8();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 128;
    do {
      byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER || scale > LAST_SCALE) this.corrupt("a number beyond the safe integers");
      scale *= 128;
    } while (byte >= 0x80);
    if (byte === 0) this.corrupt("a number in a longer form than it needs");
    return value;
  }

  /** A count of things that take at least `leastBytes` each: never more than the bytes left can hold. */
  count(leastBytes: number): number {
    const count = this.varuint();
    if (count * leastBytes > this.remaining) this.corrupt(`${count} items announced, ${this.remaining} bytes left`);
    return count;
  }

  /** A copy of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const start = this.take(length);
    return this.source.slice(start, start + length);
  }

  /** A reader of the next `length` bytes, which this one skips. */
  section(length: number): ByteReader {
    const start = this.take(length);
    return new ByteReader(this.source, start, start + length);
  }

  skip(length: number): void {
    this.take(length);
  }

  /** Goes back to a position where the reader was before. */
  seek(position: number): void {
    invariant(position >= 0 && position <= this.at, "a byte reader only goes back");
    this.at = position;
  }

  /** Order of two ranges that were read already. */
  compare(leftStart: number, leftEnd: number, rightStart: number, rightEnd: number): number {
    return compareRanges(this.source, leftStart, leftEnd, rightStart, rightEnd);
  }

  utf16(unitCount: number): string {
    let text = "";
    let units: number[] = [];
    for (let i = 0; i < unitCount; i++) {
      units.push(this.u16());
      if (units.length === TEXT_CHUNK) {
        text += String.fromCharCode(...units);
        units = [];
      }
    }
    return text + String.fromCharCode(...units);
  }

  /** Well-formed UTF-8 of `byteLength` bytes; anything else is corrupt. */
  utf8(byteLength: number): string {
    const end = this.take(byteLength) + byteLength;
    let at = end - byteLength;
    let text = "";
    if (byteLength <= SHORT_TEXT) {
      const short = this.shortText(at, end);
      if (short !== null) return short;
    } else if (byteLength <= TEXT_CHUNK && this.isAscii(at, end)) {
      return this.ascii(at, end);
    }
    let units: number[] = [];
    while (at < end) {
      const lead = this.source[at++]!;
      if (lead < 0x80) {
        units.push(lead);
      } else {
        const more = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0;
        if (more === 0 || at + more > end) this.corrupt("text that is not UTF-8");
        let point = lead & (0x3f >> more);
        for (let i = 0; i < more; i++) {
          const byte = this.source[at++]!;
          if ((byte & 0xc0) !== 0x80) this.corrupt("text that is not UTF-8");
          point = (point << 6) | (byte & 0x3f);
        }
        if (!isScalar(point, more)) this.corrupt("text that is not UTF-8");
        if (point < 0x10000) units.push(point);
        else units.push(0xd7c0 + (point >> 10), 0xdc00 | (point & 0x3ff));
      }
      if (units.length >= TEXT_CHUNK) {
        text += String.fromCharCode(...units);
        units = [];
      }
    }
    return text + String.fromCharCode(...units);
  }

  /** The text if it is ASCII, else null. */
  private shortText(start: number, end: number): string | null {
    const { source } = this;
    let hash = end - start;
    for (let at = start; at < end; at++) {
      const unit = source[at]!;
      if (unit >= 0x80) return null;
      hash = Math.imul(hash, 31) + unit;
    }
    if (this.remembered === null) {
      this.shortTexts += 1;
      if (this.shortTexts <= FORGOTTEN_TEXTS) return this.ascii(start, end);
      this.remembered = new Array<string | undefined>(REMEMBERED_TEXTS).fill(undefined);
    }
    const slot = (hash ^ (hash >>> 6)) & (REMEMBERED_TEXTS - 1);
    const known = this.remembered[slot];
    if (known !== undefined && this.isText(known, start, end)) return known;
    return (this.remembered[slot] = this.ascii(start, end));
  }

  private isAscii(start: number, end: number): boolean {
    const { source } = this;
    for (let at = start; at < end; at++) if (source[at]! >= 0x80) return false;
    return true;
  }

  /** Sixteen characters a turn: half the time of gathering them in an array first. */
  private ascii(start: number, end: number): string {
    const s = this.source;
    let text = "";
    let i = start;
    for (const last = end - 16; i <= last; i += 16) {
      text += String.fromCharCode(
        s[i]!, s[i + 1]!, s[i + 2]!, s[i + 3]!, s[i + 4]!, s[i + 5]!, s[i + 6]!, s[i + 7]!,
        s[i + 8]!, s[i + 9]!, s[i + 10]!, s[i + 11]!, s[i + 12]!, s[i + 13]!, s[i + 14]!, s[i + 15]!,
      );
    }
    for (; i < end; i++) text += String.fromCharCode(s[i]!);
    return text;
  }

  private isText(text: string, start: number, end: number): boolean {
    if (text.length !== end - start) return false;
    for (let at = start; at < end; at++) if (text.charCodeAt(at - start) !== this.source[at]) return false;
    return true;
  }

  private take(count: number): number {
    const start = this.at;
    if (count > this.end - start) this.corrupt(`${count} bytes expected, ${this.end - start} left`);
    this.at = start + count;
    return start;
  }
}

/** True for a code point that UTF-8 may express with that many continuation bytes. */
function isScalar(point: number, more: number): boolean {
  if (more === 1) return true;
  if (more === 2) return point >= 0x800 && (point < 0xd800 || point > 0xdfff);
  return point >= 0x10000 && point <= 0x10ffff;
}
