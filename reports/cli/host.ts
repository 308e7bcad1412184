import type { StateLibraries } from "../../engine/state/backends/state-libraries.ts";
import type { FreshPairs } from "../sweep/purity.ts";
import type { Simulate } from "../sweep/run-seed.ts";

/** Where text goes. */
export interface Sink {
  readonly isTerminal: boolean;
  write(text: string): void;
}

/** The two ends of a terminal. */
export interface TerminalStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
}

/** The process around the command, so that a test can be one. */
export interface Host {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Where a person sits; null where input or output is something else. */
  readonly terminal: TerminalStreams | null;
  /** Loaded when first needed: the engine is not cheap to load. `backend`: the only one that will be used, where that is known. */
  simulate(backend?: string): Promise<Simulate>;
  /** What Simulators need of libraries, loaded when first needed. */
  libraries(): Promise<StateLibraries>;
  /** Runs scenarios where nothing ran before. */
  readonly freshPairs: FreshPairs;
  /** Calls back when somebody asks to stop; returns how to stop listening. */
  onInterrupt(callback: () => void): () => void;
}
