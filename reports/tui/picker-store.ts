import { reducePicker } from "./picker-reducer.ts";
import type { PickerAction, PickerRequest, PickerState } from "./picker-state.ts";

/** The state of the picker; tells whoever listens when it becomes another one. It outlives the screen that shows it. */
export class PickerStore {
  #state: PickerState;
  readonly #listeners = new Set<() => void>();
  /** Hears what is asked for that is more than a change of the screen. */
  onRequest: (request: PickerRequest) => void = () => undefined;

  constructor(state: PickerState) {
    this.#state = state;
  }

  get state(): PickerState {
    return this.#state;
  }

  dispatch(action: PickerAction): void {
    const { state, request } = reducePicker(this.#state, action);
    if (state !== this.#state) {
      this.#state = state;
      if (isWorthAFrame(action)) for (const listener of this.#listeners) listener();
    }
    if (request !== null) this.onRequest(request);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** Runs come by the hundred a second: they are shown when the time is told, or a key is pressed. */
function isWorthAFrame(action: PickerAction): boolean {
  return action.type !== "swept" || action.event.type !== "run";
}
