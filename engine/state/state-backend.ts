/** Backends that keep state themselves. */
export const BASE_BACKENDS = ["heap", "lsm", "sqlite"] as const;
export type BaseBackendName = (typeof BASE_BACKENDS)[number];

/** "changelog:lsm" logs the changes of an lsm backend. */
export type StateBackendName = BaseBackendName | `changelog:${BaseBackendName}`;

export const STATE_BACKENDS: readonly StateBackendName[] = [
  "heap",
  "lsm",
  "sqlite",
  "changelog:heap",
  "changelog:lsm",
  "changelog:sqlite",
];

/** Where and how keyed state is kept. Sizes in bytes; what is absent has the backend's default. */
export interface StateBackendConfig {
  readonly name: StateBackendName;
  /** lsm: the memtable is written out as a table beyond this. sqlite: buffered rows are. */
  readonly writeBufferBytes?: number;
  /** lsm: size of a table on level 1 and below. */
  readonly tableBytes?: number;
  /** lsm: size of level 1; each further level is ten times as large. */
  readonly levelOneBytes?: number;
  /** lsm: bytes of the block cache of one backend. */
  readonly blockCacheBytes?: number;
  /** changelog: a materialization begins after so many logged bytes. */
  readonly materializeAfterBytes?: number;
}
