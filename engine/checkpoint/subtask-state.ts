import type { FileHandle } from "./checksummed-file.ts";

/** A file that later checkpoints may share: a piece of the keyed state of one operator, never changed once written. */
export interface SharedFile {
  /** Of the operator. */
  readonly uid: string;
  /** Within the operator's backend. */
  readonly name: string;
  readonly file: FileHandle;
  /** Not written for this checkpoint: an earlier one, which completed, brought it. */
  readonly isPlaceholder: boolean;
}

/** Operator lists in the subtask's own file. */
export interface OperatorLists {
  readonly uid: string;
  /** One of them goes to every subtask in full. */
  readonly holdsUnion: boolean;
}

/** Keys of the job edges of which in-flight data lies in the subtask's own file, so that a restore knows whose file it needs. */
export interface InFlightEdges {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** What one subtask holds of a checkpoint: the content of its acknowledgement. */
export interface SubtaskState {
  /** The subtask's own file (see snapshot-file); null where it has nothing to keep. */
  readonly file: FileHandle | null;
  /** Operators that keep lists, so that a restore knows whose file it needs. */
  readonly lists: readonly OperatorLists[];
  /** Operators with keyed state in it; absent where that is not known. */
  readonly keyed?: readonly string[];
  /** Null where nothing was in flight. */
  readonly inFlight: InFlightEdges | null;
  /** In no particular order; the own file says in which order an operator wants them. */
  readonly shared: readonly SharedFile[];
}

/** Keys of the files that no other checkpoint knows. */
export function ownFilesOf({ file }: SubtaskState): readonly string[] {
  return file === null ? [] : [file.key];
}

export function filesOfSubtask(state: SubtaskState): readonly string[] {
  return handlesOf(state).map(({ key }) => key);
}

/** All files of a subtask's part: its own, then those that it shares. */
export function handlesOf({ file, shared }: SubtaskState): readonly FileHandle[] {
  const files = shared.map((one) => one.file);
  return file === null ? files : [file, ...files];
}
