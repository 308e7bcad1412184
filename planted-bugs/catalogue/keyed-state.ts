import type { PlantedBug } from "../planted-bug.ts";
import { RESULT, STATE_SEEDS_TO_FIND } from "../planted-bug.ts";

const seedsToFind = STATE_SEEDS_TO_FIND;

/** Keyed state: copy-on-write, times to live, schemas, the changelog. */
export const KEYED_STATE_BUGS: readonly PlantedBug[] = [
  {
    id: "copy-on-write-forgets-a-nested-change",
    flink: null,
    symptom: "an entry of a map is changed in place while a snapshot in flight holds the same map",
    noticedBy: ["state model"],
    scenarios: ["keyed-state/heap"],
    fixed: { backend: "heap" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/heap/heap-map-state.ts",
        find: `    if (cell.shared) {
      cell.value = new Map(cell.value as MapContent);
      cell.shared = false;
    }
    return cell.value as MapContent;`,
        replace: "    return cell.value as MapContent;",
      },
    ],
  },
  {
    id: "ttl-refreshed-on-read",
    flink: null,
    symptom: "reading prolongs the life of state whose time to live counts from its last write",
    noticedBy: ["state model"],
    scenarios: ["keyed-state/heap"],
    fixed: { backend: "heap" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/ttl/ttl-state.ts",
        find: 'this.refreshes = ttl.update === "on-read-and-write";',
        replace: 'this.refreshes = ttl.update === "on-read-and-write" || ttl.visibility === "never-return-expired";',
      },
    ],
  },
  {
    id: "compaction-drops-what-lives",
    flink: null,
    symptom: "clean-up in compaction takes what has lived for half of its time to live",
    noticedBy: RESULT,
    scenarios: ["deduplication"],
    fixed: { backend: "lsm" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/store/row-expiry.ts",
        find: "this.expiries[id] = expiryOf(ttl, ttl?.cleanupInCompaction === true);",
        replace: "this.expiries[id] = expiryOf(ttl, ttl?.cleanupInCompaction === true) / 2;",
      },
    ],
  },
  {
    id: "schema-of-the-failed-migration-kept",
    flink: "FLINK-12064",
    symptom: "after a migration that was refused, snapshots name the new job's schema over rows of the old one",
    noticedBy: ["schema evolution"],
    scenarios: ["schemas/lsm"],
    fixed: { backend: "lsm" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/store/store-keyed-backend.ts",
        find: "    const migration = isSame ? null : itemMigration(stored, descriptor);\n",
        replace: `    const before = { ...stored };
    if (!stored.bound) replaceSerializers(stored, descriptor);
    const migration = isSame ? null : itemMigration(before, descriptor);
`,
      },
      {
        file: "engine/state/backends/store/store-keyed-backend.ts",
        find: "    if (migration !== null) migrateRows(this.rows, stored, descriptor, migration);\n",
        replace: "    if (migration !== null) migrateRows(this.rows, before, descriptor, migration);\n",
      },
    ],
  },
  {
    id: "changelog-boundary-off-by-one",
    flink: null,
    symptom: "a base stands one segment before its place in the log: what it holds already is replayed upon it",
    noticedBy: [...RESULT, "restore fidelity", "consistent cut"],
    scenarios: ["big-state"],
    fixed: { backend: "changelog:heap" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/changelog/materialization.ts",
        find: "    const position = this.log.seal();\n",
        replace: `    const { sqn, segment, bytes } = this.log.seal();
    const last = this.log.segments.at(-1);
    const position = last === undefined ? { sqn, segment, bytes } : { sqn: last.fromSqn, segment: segment - 1, bytes };
`,
      },
    ],
  },
  {
    id: "fired-timer-logged-under-another-key",
    flink: "FLINK-26063",
    symptom: "the removal of a timer that fires is logged under the key that was current before",
    noticedBy: ["state model"],
    scenarios: ["keyed-state/changelog:heap"],
    fixed: { backend: "changelog:heap" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/changelog/logged-timers.ts",
        find: "    if (timer !== null) this.log.deregisterTimer(timer.key, domain, timer.namespace, timer.timestampMs);\n",
        replace: `    const key = this.log.currentKey ?? timer?.key ?? null;
    if (timer !== null) this.log.deregisterTimer(key, domain, timer.namespace, timer.timestampMs);
`,
      },
    ],
  },
  {
    id: "foreign-key-groups-replayed",
    flink: "FLINK-26766",
    symptom: "a subtask replays a log's operations on key groups that belong to others after the rescaling",
    noticedBy: ["state model"],
    scenarios: ["keyed-state/changelog:heap"],
    fixed: { backend: "changelog:heap" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/changelog/restored-sections.ts",
        find: `  state(keyGroup: KeyGroup, operation: StateOperation): void {
    this.groups[keyGroup - this.start]?.push(operation);
`,
        replace: `  state(keyGroup: KeyGroup, operation: StateOperation): void {
    this.groups[Math.max(0, Math.min(keyGroup - this.start, this.groups.length - 1))]?.push(operation);
`,
      },
    ],
  },
];
