/**
 * What may go wrong with local storage under a state backend:
 * "io" the disk reported an error or refused (EIO, a missing file, a bad descriptor); "no-space" it is full;
 * "corrupt" what was read is not what was written (a checksum, magic or length differs).
 */
export type StateStorageCode = "io" | "no-space" | "corrupt";

/**
 * Thrown out of state access, maintenance and snapshots when local storage failed the backend. The task fails
 * and its state comes back from the last completed checkpoint: never is anything read that fails its checksum.
 */
export class StateStorageError extends Error {
  override readonly name = "StateStorageError";
  readonly code: StateStorageCode;
  /** The file concerned. */
  readonly path: string;

  constructor(code: StateStorageCode, path: string, fact: string) {
    super(`${path}: ${fact}`);
    this.code = code;
    this.path = path;
  }
}

/** Thrown when state is bound with something that the job's state backend cannot do; the message names what it can. */
export class StateDefinitionError extends Error {
  override readonly name = "StateDefinitionError";
}

/** Thrown when state that was written with one serializer is bound with another that cannot read it. */
export class StateSchemaError extends Error {
  override readonly name = "StateSchemaError";
}
