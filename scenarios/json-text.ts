/**
 * A JSON reader that knows where it is. `JSON.parse` reports positions in words that differ by version of
 * the engine, and knows none for a value that parsed but is of the wrong type.
 */

/** A value and the offset of its first character. */
export type JsonNode =
  | { readonly kind: "scalar"; readonly offset: number; readonly value: string | number | boolean | null }
  | { readonly kind: "array"; readonly offset: number; readonly items: readonly JsonNode[] }
  | { readonly kind: "object"; readonly offset: number; readonly members: ReadonlyMap<string, JsonNode> };

/** The text is no JSON. `reason` completes "…: <reason>". */
export class JsonTextError extends Error {
  override readonly name = "JsonTextError";
  readonly offset: number;
  readonly reason: string;

  constructor(offset: number, reason: string) {
    super(reason);
    this.offset = offset;
    this.reason = reason;
  }
}

const DEPTH_LIMIT = 64;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Reads one value from text[start, end), which holds nothing else but white space. */
export function readJson(text: string, start: number, end: number): JsonNode {
  const reader = new JsonReader(text, start, end);
  const node = reader.value(0);
  reader.expectEnd();
  return node;
}

class JsonReader {
  readonly #text: string;
  readonly #end: number;
  #at: number;

  constructor(text: string, start: number, end: number) {
    this.#text = text;
    this.#at = start;
    this.#end = end;
  }

  value(depth: number): JsonNode {
    if (depth > DEPTH_LIMIT) throw new JsonTextError(this.#at, `nested deeper than ${DEPTH_LIMIT}`);
    const next = this.#peek();
    const offset = this.#at;
    switch (next) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return { kind: "scalar", offset, value: this.#string() };
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  expectEnd(): void {
    if (this.#peek() !== "") throw new JsonTextError(this.#at, `unexpected ${this.#here()} after the value`);
  }

  #object(depth: number): JsonNode {
    const offset = this.#at++;
    const members = new Map<string, JsonNode>();
    if (this.#peek() === "}") {
      this.#at++;
      return { kind: "object", offset, members };
    }
    for (;;) {
      if (this.#peek() !== '"') throw new JsonTextError(this.#at, `expected a name in quotes, found ${this.#here()}`);
      const name = this.#string();
      if (this.#peek() !== ":") throw new JsonTextError(this.#at, `expected ":", found ${this.#here()}`);
      this.#at++;
      members.set(name, this.value(depth + 1));
      if (this.#separator("}")) return { kind: "object", offset, members };
    }
  }

  #array(depth: number): JsonNode {
    const offset = this.#at++;
    const items: JsonNode[] = [];
    if (this.#peek() === "]") {
      this.#at++;
      return { kind: "array", offset, items };
    }
    for (;;) {
      items.push(this.value(depth + 1));
      if (this.#separator("]")) return { kind: "array", offset, items };
    }
  }

  /** Takes "," (false) or the closing character (true). */
  #separator(close: string): boolean {
    const next = this.#peek();
    if (next !== "," && next !== close) {
      throw new JsonTextError(this.#at, `expected "," or "${close}", found ${this.#here()}`);
    }
    this.#at++;
    return next === close;
  }

  #string(): string {
    const start = this.#at++;
    let value = "";
    let runStart = this.#at;
    for (;;) {
      const char = this.#at < this.#end ? (this.#text[this.#at] ?? "") : "";
      if (char === "" || char === "\n") throw new JsonTextError(start, "a string that is not closed");
      if (char < " ") throw new JsonTextError(this.#at, "a control character in a string");
      if (char === '"') {
        value += this.#text.slice(runStart, this.#at++);
        return value;
      }
      if (char === "\\") {
        value += this.#text.slice(runStart, this.#at) + this.#escape();
        runStart = this.#at;
      } else {
        this.#at++;
      }
    }
  }

  #escape(): string {
    const start = this.#at;
    const letter = this.#text[start + 1] ?? "";
    if (letter === "u") {
      const digits = this.#text.slice(start + 2, start + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new JsonTextError(start, "a broken \\u escape in a string");
      this.#at = start + 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const char = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (char === undefined) throw new JsonTextError(start, "an unknown escape in a string");
    this.#at = start + 2;
    return char;
  }

  #number(): JsonNode {
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.#text)?.[0];
    if (found === undefined) throw new JsonTextError(this.#at, `expected a value, found ${this.#here()}`);
    const offset = this.#at;
    this.#at += found.length;
    return { kind: "scalar", offset, value: Number(found) };
  }

  #word(word: string, value: boolean | null): JsonNode {
    const offset = this.#at;
    if (!this.#text.startsWith(word, offset)) throw new JsonTextError(offset, `expected a value, found ${this.#here()}`);
    this.#at += word.length;
    return { kind: "scalar", offset, value };
  }

  /** The next character that is not white space, or "" at the end. */
  #peek(): string {
    while (this.#at < this.#end) {
      const char = this.#text[this.#at] ?? "";
      if (char !== " " && char !== "\n" && char !== "\r" && char !== "\t") return char;
      this.#at++;
    }
    return "";
  }

  #here(): string {
    return this.#at < this.#end ? JSON.stringify(this.#text[this.#at]) : "the end";
  }
}
