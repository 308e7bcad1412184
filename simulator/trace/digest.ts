const MULTIPLIER_LOW = 0x9e3779b1;
const MULTIPLIER_HIGH = 0x85ebca77;
const TWO_32 = 4294967296;

/** A rolling 64-bit hash in two 32-bit lanes; every number folded in changes both. */
export class Digest {
  #low = 0x243f6a88;
  #high = 0x85a308d3;

  /** Folds a 32-bit integer. */
  fold(value: number): void {
    const low = Math.imul(this.#low ^ value, MULTIPLIER_LOW);
    this.#low = low ^ (low >>> 15);
    const high = Math.imul(this.#high + (value ^ this.#low), MULTIPLIER_HIGH);
    this.#high = high ^ (high >>> 13);
  }

  /** Folds a whole number of up to 53 bits. */
  foldWide(value: number): void {
    this.fold(value | 0);
    const upper = Math.floor(value / TWO_32);
    if (upper !== 0) this.fold(upper | 0);
  }

  /** One trace point. */
  foldPoint(timeUs: number, kind: number, subject: number, x: number, y: number): void {
    this.fold(Math.imul(kind, 65537) ^ subject ^ Math.imul(timeUs | 0, 31));
    this.fold((x | 0) ^ Math.imul(y | 0, 0x1000193));
    if (x > 0x7fffffff || x < -0x80000000) this.fold(Math.floor(x / TWO_32) | 0);
  }

  /** Folds bytes, four at a time. */
  foldBytes(bytes: Uint8Array): void {
    const length = bytes.length;
    const whole = length - (length % 4);
    let low = this.#low ^ length;
    for (let i = 0; i < whole; i += 4) {
      const word =
        (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24);
      low = Math.imul(low ^ word, MULTIPLIER_LOW);
      low ^= low >>> 15;
    }
    for (let i = whole; i < length; i += 1) low = Math.imul(low ^ (bytes[i] as number), MULTIPLIER_LOW);
    this.#low = low ^ (low >>> 13);
    this.fold(length);
  }

  foldText(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.fold(text.charCodeAt(i));
    this.fold(text.length);
  }

  /** 16 hexadecimal digits. */
  hex(): string {
    return hex32(this.#high) + hex32(this.#low);
  }
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
