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

export function compareWholeKeys(left: Uint8Array, right: Uint8Array): number {
  return compareKeys(left, 0, left.length, right, 0, right.length);
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
