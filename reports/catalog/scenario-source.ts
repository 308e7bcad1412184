/** A file as the user wrote it, and where that is. */
export interface FilePath {
  /** Absolute. */
  readonly path: string;
  readonly shown: string;
}

/** Where a scenario comes from; plain data, so that a worker thread can load it too. */
export type ScenarioSource =
  | { readonly kind: "library"; readonly name: string; readonly input: FilePath | null }
  | { readonly kind: "file"; readonly file: FilePath; readonly input: FilePath | null };

/** What names the scenario on a command line. */
export function sourceArgument(source: ScenarioSource): string {
  return source.kind === "library" ? source.name : source.file.shown;
}
