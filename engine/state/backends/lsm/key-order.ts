/** Unsigned lexicographic order of two ranges: negative, 0 or positive; a prefix comes before what it begins. */
export function compareKeys(
  left: Uint8Array,
  leftStart: number,
  leftLength: number,
  right: Uint8Array,
  rightStart: number,
  rightLength: number,
): number {
  const shared = leftLength < rightLength ? leftLength : rightLength;
  for (let i = 0; i < shared; i++) {
    const difference = left[leftStart + i]! - right[rightStart + i]!;
    if (difference !== 0) return difference;
  }
  return leftLength - rightLength;
}

/** The first four bytes, or zeros where there are none, as a signed number of the same order. */
export function keyHead(key: Uint8Array, start: number, length: number): number {
  const first = length > 0 ? key[start]! : 0;
  const second = length > 1 ? key[start + 1]! : 0;
  const third = length > 2 ? key[start + 2]! : 0;
  const fourth = length > 3 ? key[start + 3]! : 0;
  return ((first << 24) | (second << 16) | (third << 8) | fourth) ^ 0x80000000;
}

/** How many bytes two keys both begin with. */
export function sharedLength(left: Uint8Array, right: Uint8Array): number {
  const limit = Math.min(left.length, right.length);
  let length = 0;
  while (length < limit && left[length] === right[length]) length++;
  return length;
}

/** Ranges up to here are copied by a loop: faster than making a view for the built-in copy. */
const LOOP_COPY = 48;

/** Copies `length` bytes between two buffers. */
export function copyBytes(
  source: Uint8Array,
  start: number,
  length: number,
  target: Uint8Array,
  at: number,
): void {
  if (length <= LOOP_COPY) {
    for (let i = 0; i < length; i++) target[at + i] = source[start + i]!;
  } else if (start === 0 && length === source.length) {
    target.set(source, at);
  } else {
    target.set(source.subarray(start, start + length), at);
  }
}
