import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../temporary-directory.ts";
import { NodeDisk } from "../../bench/node-disk.ts";

const RECORD_BYTES = 96 * 1024;
/** An fsync after so many records. */
const SYNC_EVERY = 8;

/**
 * Appends records to /log, each filled with its number, one write call a record, and after each replaces
 * /current by write and rename; prints the number of records written.
 */
const WRITER = `
  import * as fs from "node:fs";
  const [root] = process.argv.slice(-1);
  const log = fs.openSync(root + "/log", "w");
  const record = Buffer.alloc(${RECORD_BYTES});
  for (let i = 0; ; i += 1) {
    record.fill(i % 251);
    record.writeUInt32LE(i);
    for (let at = 0; at < record.length; ) at += fs.writeSync(log, record, at, record.length - at, i * record.length + at);
    if (i % ${SYNC_EVERY} === 0) fs.fsyncSync(log);
    fs.writeFileSync(root + "/current.tmp", record);
    fs.renameSync(root + "/current.tmp", root + "/current");
    fs.writeSync(1, String(i + 1) + "\\n");
  }
`;

/** Runs the writer until it says that it wrote so many records, and kills it wherever it is then. */
async function killedAfter(root: string, records: number): Promise<number> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, root], { stdio: ["ignore", "pipe", "inherit"] });
  let said = 0;
  child.stdout.setEncoding("utf8");
  let partOfLine = "";
  const isDead = once(child, "exit");
  child.stdout.on("data", (chunk: string) => {
    const lines = (partOfLine + chunk).split("\n");
    partOfLine = lines.pop() ?? "";
    said = Math.max(said, ...lines.map(Number));
    if (said >= records) child.kill("SIGKILL");
  });
  const [, signal] = (await isDead) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
  return said;
}

function readWhole(disk: NodeDisk, path: string): Uint8Array {
  const descriptor = disk.open(path, "read");
  expect(descriptor).toBeGreaterThanOrEqual(0);
  const bytes = new Uint8Array(disk.size(descriptor));
  for (let at = 0; at < bytes.length; ) {
    const count = disk.read(descriptor, bytes, at, bytes.length - at, at);
    expect(count).toBeGreaterThan(0);
    at += count;
  }
  disk.close(descriptor);
  return bytes;
}

/** The number a record carries, or -1 if one of its bytes is not what that number says. */
function numberOf(record: Uint8Array): number {
  const number = new DataView(record.buffer, record.byteOffset).getUint32(0, true);
  for (let i = 4; i < record.length; i += 1) if (record[i] !== number % 251) return -1;
  return number;
}

describe("a real process killed in the middle of writing", () => {
  it.each([3, 20, 41])("loses nothing that it had written: killed after %i records", async (records) => {
    const root = temporaryDirectory();
    const said = await killedAfter(root, records);
    const disk = new NodeDisk(root);
    const log = readWhole(disk, "/log");
    const whole = Math.floor(log.length / RECORD_BYTES);
    expect(whole).toBeGreaterThanOrEqual(said);
    for (let i = 0; i < whole; i += 1) {
      expect(numberOf(log.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES))).toBe(i);
    }
    // Of a write under way there is a prefix.
    const rest = log.subarray(whole * RECORD_BYTES);
    expect(rest.subarray(4).every((byte) => byte === whole % 251)).toBe(true);
  });

  it("leaves a whole file, the old one or the new one, where it replaced by rename", async () => {
    const root = temporaryDirectory();
    const said = await killedAfter(root, 10);
    const current = readWhole(new NodeDisk(root), "/current");
    expect(current.length).toBe(RECORD_BYTES);
    expect(numberOf(current)).toBeGreaterThanOrEqual(said - 1);
  });
});
