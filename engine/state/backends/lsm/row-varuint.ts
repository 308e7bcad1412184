/** The number whose first byte is at `at`. Below 2^28. */
export function longVaruint(bytes: Uint8Array, at: number): number {
  let byte = bytes[at]!;
  let value = byte & 0x7f;
  for (let shift = 7; byte >= 0x80; shift += 7) {
    at += 1;
    byte = bytes[at]!;
    value |= (byte & 0x7f) << shift;
  }
  return value;
}

/** Bytes of such a number beyond the first. */
export function varuintTail(value: number): number {
  return value < 0x80 ? 0 : value < 0x4000 ? 1 : value < 0x200000 ? 2 : 3;
}

/** Writes a number below 2^28; returns where it ends. */
export function writeVaruint(target: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    target[at++] = rest | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
