/** Unsigned lexicographic order of two ranges of one buffer: negative, 0 or positive. */
export function compareRanges(
  bytes: Uint8Array,
  leftStart: number,
  leftEnd: number,
  rightStart: number,
  rightEnd: number,
): number {
  const leftLength = leftEnd - leftStart;
  const rightLength = rightEnd - rightStart;
  const common = leftLength < rightLength ? leftLength : rightLength;
  for (let i = 0; i < common; i++) {
    const difference = bytes[leftStart + i]! - bytes[rightStart + i]!;
    if (difference !== 0) return difference;
  }
  return leftLength - rightLength;
}

/** The same of two whole arrays. A prefix comes before what it begins. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const common = left.length < right.length ? left.length : right.length;
  for (let i = 0; i < common; i++) {
    const difference = left[i]! - right[i]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
