import { TRACE_KINDS, traceKindName, traceKindOf } from "../../simulator/trace/kinds.ts";
import { UsageError } from "../files/usage-error.ts";
import { nearest } from "../text/format.ts";

const FIELDS = ["kind", "subject", "subtask", "process", "key"] as const;
const FORMS =
  'give words (all must hold): kind:snapshotTaken (kind:a,b for either), subject:sum[1] (sum for all its subtasks), process:worker-2 (process:- for the outside world), key:ORD, any other word to be searched for; "in quotes" where there are blanks, -word for what is not wanted';

/** What an event must be, or must not be. */
export type EventTerm = { readonly isWanted: boolean } & (
  | { readonly field: "kind"; readonly kinds: ReadonlySet<number> }
  | { readonly field: "subject" | "process" | "key" | "word"; readonly text: string }
);

/** Of which trace points somebody wants to see. */
export interface EventFilter {
  /** As it was given. */
  readonly text: string;
  /** All of them must hold; without any every point matches. */
  readonly terms: readonly EventTerm[];
}

/** Throws UsageError for what says nothing, and says there what can be said. */
export function parseFilter(text: string): EventFilter {
  return { text, terms: wordsOf(text).map((word) => termOf(word, text)) };
}

interface Word {
  readonly text: string;
  /** Its first colon stands outside of quotes: it may name a field. */
  readonly colon: number;
  readonly isWanted: boolean;
}

/** Splits at blanks, except in quotes; within them `\"` stands for a quote. */
function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text.charAt(at))) {
      at += 1;
      continue;
    }
    const isWanted = text.charAt(at) !== "-" || at + 1 === text.length || /\s/.test(text.charAt(at + 1));
    const read = readWord(text, isWanted ? at : at + 1);
    words.push({ text: read.text, colon: read.colon, isWanted });
    at = read.end;
  }
  return words;
}

function readWord(text: string, start: number): { readonly text: string; readonly colon: number; readonly end: number } {
  let word = "";
  let colon = -1;
  let isQuoted = false;
  let at = start;
  for (; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted && character === "\\" && at + 1 < text.length) word += text.charAt(++at);
    else if (!isQuoted && /\s/.test(character)) break;
    else {
      if (character === ":" && !isQuoted && colon < 0) colon = word.length;
      word += character;
    }
  }
  if (isQuoted) throw new UsageError(inputOf(text), "has a quote that does not end", FORMS);
  return { text: word, colon, end: at };
}

function termOf({ text: word, colon, isWanted }: Word, filter: string): EventTerm {
  const field = colon < 0 ? "" : word.slice(0, colon);
  const text = word.slice(colon + 1);
  switch (field) {
    case "kind":
      return { isWanted, field, kinds: new Set(text.split(",").map((name) => kindOf(name, filter))) };
    case "subject":
    case "subtask":
      return { isWanted, field: "subject", text: filled(text, field, filter) };
    case "process":
    case "key":
      return { isWanted, field, text: filled(text, field, filter) };
    default: {
      // "host-1:table" is a name like any; "kin:x" is a slip.
      const near = /^[a-z]+$/.test(field) ? nearest(field, FIELDS) : null;
      if (near !== null) throw new UsageError(inputOf(filter), `has the unknown field ${field}: (did you mean ${near}:?)`, FORMS);
      return { isWanted, field: "word", text: word.toLowerCase() };
    }
  }
}

function filled(text: string, field: string, filter: string): string {
  if (text === "") throw new UsageError(inputOf(filter), `says nothing behind ${field}:`, FORMS);
  return text;
}

function kindOf(name: string, filter: string): number {
  const kind = traceKindOf(name);
  if (kind !== null) return kind;
  const names = Array.from({ length: TRACE_KINDS }, (_, number) => traceKindName(number)).filter((one) => one !== null);
  const near = nearest(name, names);
  throw new UsageError(inputOf(filter), `has the unknown kind ${JSON.stringify(name)}${near === null ? "" : ` (did you mean ${near}?)`}`, FORMS);
}

function inputOf(filter: string): string {
  return `the filter ${JSON.stringify(filter)}`;
}
