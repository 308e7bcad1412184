/** Unsigned lexicographic order of two byte arrays: negative, 0 or positive; a prefix comes first. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const common = left.length < right.length ? left.length : right.length;
  for (let i = 0; i < common; i++) {
    const difference = left[i]! - right[i]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
