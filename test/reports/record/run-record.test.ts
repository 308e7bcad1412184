import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FaultPlan } from "#whitewater/simulator/faults/fault.js";
import { writeFileAtomically } from "#whitewater/reports/files/atomic-write.js";
import { readRecord } from "#whitewater/reports/record/read-record.js";
import { integrityOf, recordFileName, recordOf, type RunRecord } from "#whitewater/reports/record/run-record.js";
import { requestFor } from "#whitewater/reports/sweep/run-seed.js";
import { aFinding, fakeResult } from "../fake-simulator.js";
import { temporaryDirectory } from "../../temporary-directory.ts";

const directory = temporaryDirectory();
const settings = { profile: "swarm", fixed: { parallelism: 4 }, maxSteps: 1000, selfCheckMillionths: 0 } as const;
const at = { on: "time", atUs: 5 } as const;

const everyKind: FaultPlan = [
  { id: "1", at, kind: "process-crash", process: null },
  { id: "2", at, kind: "process-pause", process: "worker-1", durationUs: 1 },
  { id: "3", at, kind: "host-crash", host: "host-1", replace: true },
  { id: "4", at, kind: "user-exception" },
  { id: "5", at, kind: "rpc-drop" },
  { id: "6", at, kind: "rpc-duplicate", delayUs: 1 },
  { id: "7", at, kind: "rpc-delay", delayUs: 1 },
  { id: "8", at, kind: "rpc-reply-drop" },
  { id: "9", at, kind: "connection-break" },
  { id: "10", at, kind: "frame-delay", delayUs: 1 },
  { id: "11", at, kind: "blob-error", code: "unknown" },
  { id: "12", at, kind: "blob-slow", delayUs: 1 },
  { id: "13", at, kind: "blob-late-delete", delayUs: 1 },
  { id: "14", at, kind: "coordination-error", code: "unreachable" },
  { id: "15", at, kind: "coordination-slow", delayUs: 1 },
  { id: "16", at, kind: "log-error", code: "unavailable" },
  { id: "17", at, kind: "log-slow", delayUs: 1 },
  { id: "18", at, kind: "transaction-timeout" },
  { id: "19", at, kind: "latency", latencyUs: 1 },
  { id: "20", at, kind: "partition", from: ["host-1"], to: ["host-2"], oneWay: true, durationUs: 1 },
  { id: "21", at, kind: "rpc-chaos", lossPercent: 1, duplicatePercent: 2, delayPercent: 3, delayUs: 4, durationUs: 5 },
  { id: "22", at, kind: "network-slow", extraUs: 1, durationUs: 1 },
  { id: "23", at, kind: "blob-outage", errorPercent: 100, durationUs: 1 },
  { id: "24", at, kind: "coordination-outage", durationUs: 1 },
  { id: "25", at, kind: "lease-loss", lease: "leader" },
  { id: "26", at, kind: "log-outage", errorPercent: 50, durationUs: 1 },
  { id: "28", at, kind: "disk-error", code: "ENOSPC", partBytes: 7 },
  { id: "29", at, kind: "disk-fsync-failure" },
  { id: "30", at, kind: "disk-short-read", bytes: 1 },
  { id: "31", at, kind: "disk-bit-flip", bit: -1 },
  { id: "32", at, kind: "disk-misdirected-write", sectorsAway: -2, elsewhere: 1 },
  { id: "33", at, kind: "disk-slow", delayUs: 1 },
  { id: "34", at, kind: "disk-full", host: "host-1", durationUs: 1 },
  { id: "35", at, kind: "disk-stall", host: null, durationUs: 1 },
  { id: "36", at, kind: "disk-loss", host: "host-1" },
  {
    id: "27",
    at: { on: "event", event: "snapshotTaken", subject: "sum[1]", x: null, nth: 2, when: "before" },
    kind: "process-crash",
    process: "worker-2",
  },
];

function aRecord(): RunRecord {
  const result = fakeResult(requestFor("7", settings, false), {
    verdict: "violation",
    findings: [aFinding()],
    plan: everyKind,
  });
  return recordOf(
    { result, checked: false, runs: 2, agreeing: 2 },
    { tool: "0.1.0", source: { kind: "library", name: "fake", input: null }, ...settings },
  );
}

function write(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** A change that a clumsy attacker makes: the checksum is made anew. */
function resealed(change: (record: Record<string, unknown>) => void): object {
  const copy = structuredClone(aRecord()) as unknown as Record<string, unknown>;
  change(copy);
  return { ...copy, integrity: integrityOf(copy) };
}

describe("run records", () => {
  it("are read back as they were written, with faults of every kind", () => {
    const record = aRecord();
    const path = join(directory, recordFileName(record));
    writeFileAtomically(path, [JSON.stringify(record, null, 2)], "");
    expect(readRecord(path, "x.json")).toEqual(record);
    expect(path).toMatch(/fake-[0-9a-f]{8}\.json$/);
  });

  it("may be indented and ordered anew without losing their integrity", () => {
    const reordered = Object.fromEntries(Object.entries(aRecord()).reverse());
    expect(readRecord(write("reordered.json", reordered), "x.json").seed).toBe("7");
  });

  it("are refused where anything was changed", () => {
    const tampered = { ...aRecord(), digest: "0".repeat(16) };
    expect(() => readRecord(write("tampered.json", tampered), "x.json")).toThrow(
      /^record x\.json: was changed after it was written/,
    );
  });

  it.each([
    ["a missing field", (record: Record<string, unknown>) => delete record["seed"], /malformed: seed/],
    ["a foreign field", (record: Record<string, unknown>) => (record["extra"] = 1), /malformed/],
    ["an unknown fault", (record: Record<string, unknown>) => (record["plan"] = [{ id: "1", at, kind: "gremlin" }]), /plan\[0\]/],
    ["a wrong number", (record: Record<string, unknown>) => (record["maxSteps"] = 1.5), /maxSteps/],
    ["a later version", (record: Record<string, unknown>) => (record["version"] = 2), /later version/],
    ["another format", (record: Record<string, unknown>) => (record["format"] = "x"), /is no run record/],
  ])("name what is wrong: %s", (_what, change, message) => {
    expect(() => readRecord(write("wrong.json", resealed(change)), "x.json")).toThrow(message);
  });

  it.each([
    ["not JSON", "{", /is not JSON/],
    ["no object", "[]", /is no run record/],
    ["null", "null", /is no run record/],
  ])("are refused where the file is %s", (_what, content, message) => {
    expect(() => readRecord(write("broken.json", content), "x.json")).toThrow(message);
  });

  it("name a file that cannot be read", () => {
    expect(() => readRecord(join(directory, "absent.json"), "absent.json")).toThrow(/no such file/);
    expect(() => readRecord(directory, "here")).toThrow(/is a directory/);
  });
});

describe("writeFileAtomically", () => {
  it("replaces the file whole, and leaves the old one and nothing else where writing fails", () => {
    const folder = join(directory, "deep", "er");
    const path = join(folder, "report.json");
    writeFileAtomically(path, ["a", "ä"], "");
    expect(readFileSync(path, "utf8")).toBe("aä");
    function* failing(): Generator<string> {
      yield "b";
      throw new Error("the renderer broke");
    }
    expect(() => writeFileAtomically(path, failing(), "go elsewhere")).toThrow(/cannot be written .*go elsewhere/);
    expect(readFileSync(path, "utf8")).toBe("aä");
    expect(readdirSync(folder)).toEqual(["report.json"]);
  });
});
