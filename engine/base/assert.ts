/**
 * Checks that state a fact about our own code. A failed one is a bug in Whitewater (or in a job that
 * broke a stated contract), never an operating error: operating errors are values.
 */

/** Thrown by {@link invariant}. Only the runner of a simulation catches it. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws {@link InvariantError} unless `condition` holds; `fact` says what should have been true. */
export function invariant(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new InvariantError(fact);
}

/** Ends every switch over a union: the compiler proves that no member was forgotten. */
export function unreachable(value: never, where: string): never {
  throw new InvariantError(`${where}: no case for ${JSON.stringify(value)}`);
}

/** The value, which the caller knows to be present; `fact` says why. */
export function present<T>(value: T | undefined | null, fact: string): T {
  if (value === undefined || value === null) throw new InvariantError(fact);
  return value;
}
