import { unreachable } from "./assert.ts";
import type { ByteWriter } from "./bytes.ts";
import { utf8Length } from "./bytes.ts";
import { CODEC_BIGINT_BYTES_LIMIT, CODEC_DEPTH_LIMIT } from "./limits.ts";
import { TAG } from "./structural-tags.ts";

/** Thrown for a value that the codec cannot keep: `path` says where ("$.items[3]"), `what` which thing. */
export class UnencodableValueError extends Error {
  override readonly name = "UnencodableValueError";
  readonly path: string;
  readonly what: string;

  constructor(path: string, what: string) {
    super(`cannot encode ${what} at ${path}`);
    this.path = path;
    this.what = what;
  }
}

/** The keys of an object. */
interface Shape {
  /** In the object's own order. */
  readonly keys: readonly string[];
  readonly sorted: readonly string[];
}

/** Writes values to one ByteWriter. Keep one where many values are written. After an error it may be used on. */
export class StructuralEncoder {
  private readonly writer: ByteWriter;
  /** `path[d]` leads from the value at depth d to the one at d + 1; beyond the current depth it is stale. */
  private readonly path: (string | number)[] = [];
  private readonly shapes: Shape[] = [];
  private root: unknown = undefined;
  private rootName = "$";
  /** Which of several values the root is, in the path of an error; -1: it is the only one. */
  private rootIndex = -1;
  private rootPart: "" | "key " | "value " = "";

  constructor(writer: ByteWriter) {
    this.writer = writer;
  }

  /** `rootName` stands for the value itself in the path of an error. */
  write(value: unknown, rootName: string = "$"): void {
    this.root = value;
    this.rootName = rootName;
    this.rootIndex = -1;
    this.value(value, 0);
    this.root = undefined;
  }

  /** How many values there are, then value after value. No array: whoever reads them knows that they follow. */
  writeItems(values: readonly unknown[], rootName: string = "$"): void {
    this.rootName = rootName;
    this.rootPart = "";
    this.writer.varuint(values.length);
    for (let i = 0; i < values.length; i++) {
      this.root = values[i];
      this.rootIndex = i;
      this.value(values[i], 0);
    }
    this.root = undefined;
  }

  /** How many pairs there are, then the first and the second value of each, likewise. */
  writePairs(pairs: Iterable<readonly [unknown, unknown]>, count: number, rootName: string = "$"): void {
    this.rootName = rootName;
    this.rootIndex = -1;
    this.writer.varuint(count);
    for (const pair of pairs) {
      this.rootIndex++;
      this.rootPart = "key ";
      this.root = pair[0];
      this.value(pair[0], 0);
      this.rootPart = "value ";
      this.root = pair[1];
      this.value(pair[1], 0);
    }
    this.root = undefined;
  }

  private value(value: unknown, depth: number): void {
    const writer = this.writer;
    switch (typeof value) {
      case "number":
        return this.number(value);
      case "string":
        return this.text(value);
      case "boolean":
        return writer.u8(value ? TAG.true : TAG.false);
      case "undefined":
        return writer.u8(TAG.undefined);
      case "bigint":
        return this.bigint(value, depth);
      case "object":
        return value === null ? writer.u8(TAG.null) : this.object(value, depth);
      case "function":
      case "symbol":
        return this.refuse(depth, `a ${typeof value}`);
      default:
        return unreachable(value as never, "codec");
    }
  }

  private number(value: number): void {
    const writer = this.writer;
    if (((value | 0) === value || Number.isSafeInteger(value)) && (value !== 0 || 1 / value > 0)) {
      writer.u8(value >= 0 ? TAG.natural : TAG.negative);
      writer.varuint(value >= 0 ? value : -1 - value);
    } else {
      writer.u8(TAG.double);
      writer.f64(value !== value ? NaN : value);
    }
  }

  private text(text: string): void {
    const writer = this.writer;
    if (writer.shortAscii(TAG.text, text)) return;
    const length = utf8Length(text);
    if (length >= 0) {
      writer.u8(TAG.text);
      writer.varuint(length);
      writer.utf8(text, length);
      return;
    }
    writer.u8(TAG.units);
    writer.varuint(text.length);
    for (let i = 0; i < text.length; i++) writer.u16(text.charCodeAt(i));
  }

  private bigint(value: bigint, depth: number): void {
    const writer = this.writer;
    const digits = value === 0n ? "" : (value < 0n ? -value : value).toString(16);
    const length = (digits.length + 1) >> 1;
    if (length > CODEC_BIGINT_BYTES_LIMIT) this.refuse(depth, `a bigint of ${length} bytes`);
    writer.u8(value < 0n ? TAG.bigNegative : TAG.bigNatural);
    writer.varuint(length);
    for (let end = digits.length; end > 0; end -= 2) {
      writer.u8(Number.parseInt(digits.slice(Math.max(0, end - 2), end), 16));
    }
  }

  private object(value: object, depth: number): void {
    if (depth >= CODEC_DEPTH_LIMIT) this.tooDeep(value, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.record(value, depth);
    if (prototype === Array.prototype && Array.isArray(value)) return this.array(value, depth);
    if (prototype === Uint8Array.prototype) {
      this.writer.u8(TAG.bytes);
      this.writer.varuint((value as Uint8Array).length);
      return this.writer.bytes(value as Uint8Array);
    }
    if (prototype === Map.prototype) return this.map(value as Map<unknown, unknown>, depth);
    if (prototype === Set.prototype) return this.set(value as Set<unknown>, depth);
    if (prototype === Date.prototype) {
      this.writer.u8(TAG.date);
      return this.writer.f64((value as Date).getTime());
    }
    this.refuse(depth, `an instance of ${className(prototype as object)}`);
  }

  private array(values: readonly unknown[], depth: number): void {
    // Holes and named properties both show here: an array of n elements has exactly n own keys.
    if (Object.keys(values).length !== values.length) {
      this.refuse(depth, "an array with holes or with named properties");
    }
    this.elements(values, depth);
  }

  private elements(values: readonly unknown[], depth: number): void {
    this.writer.u8(TAG.array);
    this.writer.varuint(values.length);
    for (let i = 0; i < values.length; i++) {
      this.path[depth] = i;
      this.value(values[i], depth + 1);
    }
  }

  private record(value: object, depth: number): void {
    const shape = this.shapeOf(value, depth);
    const { sorted } = shape;
    this.writer.u8(TAG.object);
    this.writer.varuint(sorted.length);
    for (let i = 0; i < sorted.length; i++) {
      const key = sorted[i]!;
      this.text(key);
      this.path[depth] = key;
      this.value((value as Readonly<Record<string, unknown>>)[key], depth + 1);
    }
  }

  /** How to write an object. Records of one kind come in numbers: the last one at each depth is remembered. */
  private shapeOf(value: object, depth: number): Shape {
    const known = this.shapes[depth];
    if (known !== undefined && hasKeys(value, known.keys)) return known;
    const keys = Object.keys(value);
    // An object whose string keys alone are like those of the last one is taken to be like it.
    if (Object.getOwnPropertySymbols(value).length !== 0) this.refuse(depth, "an object with symbol keys");
    const shape: Shape = { keys, sorted: isAscending(keys) ? keys : keys.slice().sort() };
    this.shapes[depth] = shape;
    return shape;
  }

  private map(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    this.writer.u8(TAG.map);
    this.writer.varuint(map.size);
    const starts: number[] = [];
    const keyEnds: number[] = [];
    for (const [key, value] of map) {
      this.path[depth] = `key ${starts.length}`;
      starts.push(this.writer.position);
      this.value(key, depth + 1);
      keyEnds.push(this.writer.position);
      this.path[depth] = `value ${starts.length - 1}`;
      this.value(value, depth + 1);
    }
    if (this.writer.sortItems(starts, keyEnds) >= 0) this.refuse(depth, "a Map with two keys of equal content");
  }

  private set(set: ReadonlySet<unknown>, depth: number): void {
    this.writer.u8(TAG.set);
    this.writer.varuint(set.size);
    const starts: number[] = [];
    const keyEnds: number[] = [];
    for (const value of set) {
      this.path[depth] = `element ${starts.length}`;
      starts.push(this.writer.position);
      this.value(value, depth + 1);
      keyEnds.push(this.writer.position);
    }
    if (this.writer.sortItems(starts, keyEnds) >= 0) this.refuse(depth, "a Set with two elements of equal content");
  }

  private tooDeep(value: object, depth: number): never {
    // Nothing on the way here was kept: walk from the root again and see whether the value contains itself.
    let step: unknown = this.root;
    for (let d = 0; d < depth && typeof step === "object" && step !== null; d++) {
      if (step === value) this.refuse(depth, `a cycle (the value at ${this.pathTo(d)} contains itself)`);
      step = (step as Readonly<Record<string, unknown>>)[String(this.path[d])];
    }
    this.refuse(depth, `nesting beyond ${CODEC_DEPTH_LIMIT} levels`);
  }

  private refuse(depth: number, what: string): never {
    this.root = undefined;
    throw new UnencodableValueError(this.pathTo(depth), what);
  }

  private pathTo(depth: number): string {
    let path = this.rootIndex < 0 ? this.rootName : `${this.rootName}[${this.rootPart}${this.rootIndex}]`;
    for (let i = 0; i < depth; i++) {
      const part = this.path[i] ?? "?";
      if (typeof part === "number") path += `[${part}]`;
      else path += /^[A-Za-z_$][\w$]*$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
    }
    return path;
  }
}

/** True where these are the object's keys, in its order. Makes no array of them. */
function hasKeys(value: object, keys: readonly string[]): boolean {
  let count = 0;
  for (const key in value) if (count === keys.length || keys[count++] !== key) return false;
  return count === keys.length;
}

function isAscending(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return false;
  return true;
}

function className(prototype: object): string {
  const made: unknown = (prototype as { readonly constructor?: unknown }).constructor;
  return typeof made === "function" && made.name !== "" ? made.name : "an unnamed class";
}
