/** The record that every contender counts: one of a thousand words, and a one. */
export interface Word {
  readonly word: string;
  readonly count: number;
}

export const KEYS = 1000;
const RING = 1 << 12;

/** Made once and handed to every contender, so that nobody pays for making the input. */
export const WORDS: readonly Word[] = makeWords();

function makeWords(): readonly Word[] {
  const words: Word[] = [];
  let state = 12345;
  for (let index = 0; index < RING; index += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    words.push({ word: `word-${(state >>> 8) % KEYS}`, count: 1 });
  }
  return words;
}

export function wordAt(index: number): Word {
  return WORDS[index & (RING - 1)] as Word;
}
