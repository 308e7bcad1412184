/** Something in a panel that can be chosen. */
export interface Choice {
  readonly id: string;
  /** The number of its line in the panel. */
  readonly line: number;
  /** Where in the run it is; null: nowhere in particular. */
  readonly step: number | null;
  /** What can be folded with it: the id of its operator; null: nothing. */
  readonly fold: string | null;
}

/** What can be chosen in a panel, from top to bottom. There may be very many. */
export interface Choices {
  readonly count: number;
  /** Null for a number that is none. */
  at(index: number): Choice | null;
  /** -1 where there is none with this id. */
  indexOf(id: string): number;
  /** The first one in this step; -1 where there is none. */
  indexAt(step: number): number;
}

export function choicesOf(choices: readonly Choice[]): Choices {
  return {
    count: choices.length,
    at: (index) => choices[index] ?? null,
    indexOf: (id) => choices.findIndex((choice) => choice.id === id),
    indexAt: (step) => choices.findIndex((choice) => choice.step === step),
  };
}

export const NO_CHOICES: Choices = choicesOf([]);

/** The one that is chosen; null: none, or it is not there any more. */
export function chosenOf(choices: Choices, id: string | null): Choice | null {
  return id === null ? null : choices.at(choices.indexOf(id));
}
