import type { Explorer } from "./explorer.ts";
import { reduce } from "./reducer.ts";
import type { Request, UiAction } from "./ui-action.ts";
import type { UiState } from "./ui-state.ts";

/** The state of the screen and the run that it is about; tells whoever listens when either becomes another one. */
export class UiStore {
  #state: UiState;
  #explorer: Explorer;
  readonly #listeners = new Set<() => void>();
  /** Hears what is asked for that is more than a change of the screen. */
  onRequest: (what: Request) => void = () => undefined;

  constructor(state: UiState, explorer: Explorer) {
    this.#state = state;
    this.#explorer = explorer;
  }

  get state(): UiState {
    return this.#state;
  }

  get explorer(): Explorer {
    return this.#explorer;
  }

  dispatch(action: UiAction): void {
    const { state, request } = reduce(this.#state, action, this.#explorer);
    if (state !== this.#state) {
      this.#state = state;
      this.#tell();
    }
    if (request !== null) this.onRequest(request);
  }

  /** Another run is looked at from now on, at this step. */
  changeRun(explorer: Explorer, step: number): void {
    this.#explorer = explorer;
    this.dispatch({ type: "run-changed", step });
    this.#tell();
  }

  /** The run says something new about itself. */
  refresh(): void {
    this.#state = { ...this.#state };
    this.#tell();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
