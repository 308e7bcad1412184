/** The part of a long list that is shown, and which of its elements count. */
export interface ListWindow {
  /** Elements that are left out before the first that is shown. */
  readonly offset: number;
  readonly limit: number;
  /** Only elements with this text in their key; empty: all. */
  readonly filter: string;
}

export const FIRST_WINDOW: ListWindow = { offset: 0, limit: 50, filter: "" };

/** A part of a list, and how much there is in all. */
export interface Windowed<T> {
  /** Elements of the whole list. */
  readonly total: number;
  /** Those of them that the filter lets through. */
  readonly matching: number;
  readonly offset: number;
  readonly items: readonly T[];
}

/** `keyOf`: what the filter looks at; asked for only where there is a filter. `describe` is called for what is shown alone. */
export function windowOf<T, Shown>(all: readonly T[], { offset, limit, filter }: ListWindow, keyOf: (item: T) => string, describe: (item: T) => Shown): Windowed<Shown> {
  const matching = filter === "" ? all : all.filter((item) => keyOf(item).includes(filter));
  return { total: all.length, matching: matching.length, offset, items: matching.slice(offset, offset + limit).map(describe) };
}

/** "" where all is shown; else what is, and of how many. */
export function windowText({ total, matching, offset, items }: Windowed<unknown>): string {
  if (items.length === total) return "";
  const shown = items.length === 0 ? "none" : `${offset + 1} to ${offset + items.length}`;
  return matching === total ? `${shown} of ${total}` : `${shown} of ${matching} that match, ${total} in all`;
}
