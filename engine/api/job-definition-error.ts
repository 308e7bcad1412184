/**
 * A job was put together wrongly. Thrown while the job function runs, before anything is deployed: the
 * message names the operator, what is wrong with it, and what to do about it.
 */
export class JobDefinitionError extends Error {
  override readonly name = "JobDefinitionError";
  /** The operator (or setting) concerned, as its author knows it. */
  readonly operator: string;
  readonly reason: string;
  readonly wayOut: string;

  constructor(operator: string, reason: string, wayOut: string) {
    super(`${operator}: ${reason}. ${wayOut}.`);
    this.operator = operator;
    this.reason = reason;
    this.wayOut = wayOut;
  }
}

/** `value` if it is a whole number of milliseconds, at least `least`. */
export function requireWholeMs(value: number, least: number, operator: string, what: string): number {
  return requireWhole(value, least, operator, what, " milliseconds");
}

/** `value` if it is a whole number, at least `least`. */
export function requireWhole(value: number, least: number, operator: string, what: string, unit: string = ""): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new JobDefinitionError(
      operator,
      `${what} is ${String(value)}, which is not a whole number${unit === "" ? "" : " of" + unit}`,
      `Give a whole number${unit} of at least ${least}`,
    );
  }
  if (value < least) {
    throw new JobDefinitionError(
      operator,
      `${what} is ${value}${unit}, but must be at least ${least}`,
      `Give a whole number${unit} of at least ${least}`,
    );
  }
  return value;
}

/** `value` if it is a function; callers without a compiler get this instead of a failure at run time. */
export function requireFunction<F>(value: F, operator: string, what: string): F {
  if (typeof value !== "function") {
    throw new JobDefinitionError(operator, `${what} is not a function`, `Pass a function as ${what}`);
  }
  return value;
}
