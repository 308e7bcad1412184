import type { PlantedBug } from "../planted-bug.ts";
import { RESULT, STATE_SEEDS_TO_FIND } from "../planted-bug.ts";

const seedsToFind = STATE_SEEDS_TO_FIND;

/** The stores under the disk backends: what is durable, what is read, what compaction and snapshots keep. */
export const STORE_BUGS: readonly PlantedBug[] = [
  {
    id: "manifest-before-its-tables",
    flink: null,
    symptom: "the manifest names tables whose bytes were never synced",
    noticedBy: ["flushed state"],
    scenarios: ["lsm-power-loss"],
    fixed: { backend: "lsm" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/lsm/manifest.ts",
        find: "        this.disk.fsync(descriptor, table.path);\n",
        replace: "",
      },
    ],
  },
  {
    id: "rename-not-durable",
    flink: null,
    symptom: "the directory is not synced after the manifest was renamed: a flush that returned may be lost",
    noticedBy: ["flushed state"],
    scenarios: ["lsm-power-loss"],
    fixed: { backend: "lsm" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/lsm/manifest.ts",
        find: "    this.disk.rename(next, `${this.directory}/${MANIFEST_NAME}`);\n    this.disk.fsyncDirectory(this.directory);\n",
        replace: "    this.disk.rename(next, `${this.directory}/${MANIFEST_NAME}`);\n",
      },
    ],
  },
  {
    id: "failed-fsync-repeated",
    flink: null,
    symptom: "an fsync that failed is called again until it says ok, though the bytes are gone (fsyncgate)",
    noticedBy: ["flushed state"],
    scenarios: ["lsm-power-loss"],
    fixed: { backend: "lsm" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/lsm/store-disk.ts",
        find: '    this.check(this.disk.fsync(descriptor), path, "fsync");\n',
        replace: `    for (let attempts = 0; attempts < 3; attempts++) if (this.disk.fsync(descriptor) === DISK_OK) return;
    this.check(this.disk.fsync(descriptor), path, "fsync");
`,
      },
    ],
  },
  {
    id: "short-read-taken-for-the-end",
    flink: "FLINK-19300",
    symptom: "a read that gives fewer bytes than asked for is taken for the end of the file",
    noticedBy: ["right or refused"],
    scenarios: ["lsm-damage"],
    fixed: { backend: "lsm" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/lsm/store-disk.ts",
        find: '      if (count === 0) this.fail("corrupt", path,',
        replace: '      if (count < length - done) this.fail("corrupt", path,',
      },
    ],
  },
  {
    id: "checksum-on-open-only",
    flink: null,
    symptom: "a table's footer, filter and index are checked when it is opened, its blocks are not when they are read",
    noticedBy: ["right or refused"],
    scenarios: ["lsm-damage"],
    fixed: { backend: "lsm" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/lsm/table-reader.ts",
        find: "    if (!isIntact(view, at, end, this.table, offset)) this.file.corrupt(`the block at ${offset} fails its checksum`);\n",
        replace: "",
      },
    ],
  },
  {
    id: "tombstone-dropped-early",
    flink: null,
    symptom: "compaction drops a tombstone while a deeper level still holds the row: what was deleted comes back",
    noticedBy: [...RESULT, "restore fidelity", "consistent cut"],
    scenarios: ["big-state"],
    fixed: { backend: "lsm" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/lsm/compaction.ts",
        find: "if (valueLength === TOMBSTONE && !this.mayLieDeeper(row)) {",
        replace: "if (valueLength === TOMBSTONE) {",
      },
    ],
  },
  {
    id: "bloom-filter-for-a-range",
    flink: "FLINK-17800",
    symptom: "a scan skips a table whose bloom filter does not know the first key of the range",
    noticedBy: [...RESULT, "restore fidelity", "consistent cut", "liveness"],
    scenarios: ["big-state"],
    fixed: { backend: "lsm" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/lsm/table-reader.ts",
        find: "  /** The first block that may hold keys at or behind `key`; the number of blocks if there is none. */\n",
        replace: `  mayHold(hash: number): boolean {
    return this.filter.mayContain(hash);
  }

`,
      },
      {
        file: "engine/state/backends/lsm/version.ts",
        find: "      cursors.push(new TablesCursor(source, [table], readAheadBytes, false));\n",
        replace: `      if (from.length > 0 && !source.reader(table).mayHold(keyHash(from, 0, from.length))) continue;
      cursors.push(new TablesCursor(source, [table], readAheadBytes, false));
`,
      },
    ],
  },
  {
    id: "increment-upon-the-last-uploaded",
    flink: "FLINK-25395",
    symptom: "an incremental snapshot builds on the last one that was uploaded, confirmed or not",
    noticedBy: ["state model"],
    scenarios: ["keyed-state/lsm"],
    fixed: { backend: "lsm" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/uploaded-files.ts",
        find: "    this.open.set(checkpointId, files);\n    this.completed.add(checkpointId);\n",
        replace: "    this.open.set(checkpointId, files);\n    this.base = files;\n    this.completed.add(checkpointId);\n",
      },
    ],
  },
  {
    id: "increment-cut-short-on-rescale",
    flink: null,
    symptom: "of another subtask's files the rows of the range are copied without those of its last key group",
    noticedBy: ["state model"],
    scenarios: ["keyed-state/lsm"],
    fixed: { backend: "lsm" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/store/store-restore.ts",
        find: "const iterator = iterateKeyGroups(source, first, last, keyGroupBytes);",
        replace: "const iterator = iterateKeyGroups(source, first, last - 1, keyGroupBytes);",
      },
    ],
  },
  {
    id: "page-view-sees-later-writes",
    flink: null,
    symptom: "a page that is overwritten under a frozen view is not kept for it",
    noticedBy: [...RESULT, "restore fidelity", "consistent cut", "no crash"],
    scenarios: ["big-state"],
    fixed: { backend: "sqlite" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/sqlite/page-file.ts",
        find: `  writePage(page: number, source: Uint8Array): number {
    const kept = this.keepImage(page);
`,
        replace: `  writePage(page: number, source: Uint8Array): number {
    const kept = SQLITE_OK;
`,
      },
    ],
  },
  {
    id: "flushed-pack-not-synced",
    flink: null,
    symptom: "a flush renames its manifest over the old one while neither that nor the pack of pages was synced",
    noticedBy: ["flushed state"],
    scenarios: ["sqlite-power-loss"],
    fixed: { backend: "sqlite" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/sqlite/whole-file-io.ts",
        find: '  doneOrClosed(disk, descriptor, disk.fsync(descriptor), path, "making it durable");\n',
        replace: "",
      },
    ],
  },
  {
    id: "page-not-checked",
    flink: null,
    symptom: "a page that the disk damaged, or gives in another's place, is handed to SQLite as it is",
    noticedBy: ["right or refused"],
    scenarios: ["sqlite-damage"],
    fixed: { backend: "sqlite" },
    seedsToFind,
    edits: [
      {
        file: "engine/state/backends/sqlite/page-file.ts",
        find: "    return this.checkPage(page, target) ? SQLITE_OK : this.damaged(`page ${page} is not what was written`);\n",
        replace: "    return SQLITE_OK;\n",
      },
    ],
  },
];
