import { LOG_REPLIES } from "../../simulator/hosts/external-log-port.ts";
import { BLOB_REPLIES } from "../../simulator/hosts/sim-blob-store.ts";
import { REPLY_OUTCOMES } from "../../simulator/hosts/sim-rpc.ts";
import {
  COORDINATION_CALLS,
  DISK_NAMINGS,
  DISK_OPENINGS,
  LOG_CALLS,
  PORT_TRACE,
  USER_CALLS,
  type PortTraceKind,
} from "../../simulator/trace/kinds.ts";
import { counted } from "../text/format.ts";
import { bytesText, ofCheckpoint, wordsOf, type Phrase, type PhrasePoint } from "./phrase.ts";

const replyOutcome = wordsOf(REPLY_OUTCOMES, { ok: "", timeout: ": no reply in time", unreachable: ": nobody there" } satisfies Record<keyof typeof REPLY_OUTCOMES, string>);
const blobFailure = wordsOf(BLOB_REPLIES, { unknown: "unknown whether done" });
const logFailure = wordsOf(LOG_REPLIES, { unknown: "unknown whether done" });

const coordinationCall = wordsOf(COORDINATION_CALLS, {
  acquire: "acquire the lease",
  renew: "renew the lease",
  release: "release the lease",
  read: "read",
  list: "list",
  compareAndSet: "compare and set",
} satisfies Record<keyof typeof COORDINATION_CALLS, string>);

const logCall = wordsOf(LOG_CALLS, {
  fetch: "fetch",
  open: "open the producer",
  append: "append",
  prepare: "prepare a transaction",
  commit: "commit a transaction",
  abort: "abort a transaction",
  pending: "list open transactions",
} satisfies Record<keyof typeof LOG_CALLS, string>);

const userCall = wordsOf(USER_CALLS, {
  open: "open",
  process: "a record's function",
  timer: "a timer's function",
  snapshot: "the snapshot function",
  notify: "the checkpoint listener",
} satisfies Record<keyof typeof USER_CALLS, string>);

const opening = wordsOf(DISK_OPENINGS, { read: "for reading", write: "for writing", create: "anew" } satisfies Record<keyof typeof DISK_OPENINGS, string>);
const naming = wordsOf(DISK_NAMINGS, {
  makeDirectory: "made a directory",
  rename: "renamed",
  link: "linked",
  unlink: "unlinked",
  removeDirectory: "removed a directory",
} satisfies Record<keyof typeof DISK_NAMINGS, string>);

const LEASE_TAKEN = 1;

/** "acknowledge-checkpoint of checkpoint 4, about sum[1]". */
function message({ subject, x, y, named }: PhrasePoint): string {
  return `${named ?? `message ${y}`}${ofCheckpoint(x)}, about ${subject}`;
}

const NETWORK_PHRASES = {
  [PORT_TRACE.rpcSent]: (point) => `sent ${message(point)}`,
  [PORT_TRACE.rpcDelivered]: (point) => `got ${message(point)}`,
  [PORT_TRACE.rpcResponded]: (point) => `answered ${message(point)}`,
  [PORT_TRACE.rpcReplied]: ({ subject, x, y }) => `the call${ofCheckpoint(x)} about ${subject} ${y === 0 ? "was answered" : "failed"}${replyOutcome(y)}`,
  [PORT_TRACE.connectionOpened]: ({ subject, x }) => `${subject} opens connection ${x}`,
  [PORT_TRACE.connectionAccepted]: ({ subject, x }) => `connection ${x} of ${subject} was accepted`,
  [PORT_TRACE.connectionBroken]: ({ subject, x }) => `connection ${x} of ${subject} broke`,
  [PORT_TRACE.connectionClosed]: ({ subject, x }) => `connection ${x} of ${subject} was closed`,
  [PORT_TRACE.frameSent]: ({ subject, x, y }) => frame(x, y, `${subject} sent`, `sent on a channel of ${subject}`),
  [PORT_TRACE.frameDelivered]: ({ subject, x, y }) => frame(x, y, `from ${subject} arrived`, `arrived on a channel of ${subject}`),
} as const satisfies Partial<Record<PortTraceKind, Phrase>>;

/** Without records and barrier it is an event of the channel, or credit, which goes back on it: `passed` does not say who sent it. */
function frame(checkpointId: number, records: number, moved: string, passed: string): string {
  const barrier = `the barrier of checkpoint ${checkpointId}`;
  if (records === 0) return checkpointId < 0 ? `${passed}: an event or credit` : `${moved} ${barrier}`;
  return `${moved} a buffer of ${counted(records, "record")}${checkpointId < 0 ? "" : ` and ${barrier}`}`;
}

/** "host-1:table" -> "host-1 … table". */
function disk(verb: (x: PhrasePoint) => string): Phrase {
  return (point) => {
    const colon = point.subject.indexOf(":");
    const host = colon < 0 ? point.subject : point.subject.slice(0, colon);
    const role = colon < 0 ? "" : `, ${point.subject.slice(colon + 1)}`;
    return `${host}: ${verb(point)}${role}${ofCheckpoint(point.x)}`;
  };
}

const DISK_PHRASES = {
  [PORT_TRACE.diskOpened]: disk(({ y }) => `opened ${opening(y)}`),
  [PORT_TRACE.diskRead]: disk(({ y }) => `read ${bytesText(y)}`),
  [PORT_TRACE.diskWritten]: disk(({ y }) => `wrote ${bytesText(y)}`),
  [PORT_TRACE.diskSynced]: disk(({ y }) => `synced ${bytesText(y)}`),
  [PORT_TRACE.diskDirectorySynced]: disk(() => "synced the names"),
  [PORT_TRACE.diskNamed]: disk(({ y }) => naming(y)),
  [PORT_TRACE.diskClosed]: disk(() => "closed"),
  [PORT_TRACE.diskLooked]: disk(({ y }) => `looked (${y} bytes or names)`),
  [PORT_TRACE.diskTruncated]: disk(({ y }) => `cut to ${bytesText(y)}`),
  [PORT_TRACE.diskLost]: ({ subject }) => `${subject} lost its disk: an empty one takes its place`,
} as const satisfies Partial<Record<PortTraceKind, Phrase>>;

function blob(words: (what: string, size: number) => string, what: string): Phrase {
  return ({ subject, x, y }) => `${subject} ${words(what, y)}${ofCheckpoint(x)}`;
}

function blobAnswer(what: string): Phrase {
  return ({ subject, x, y }) => `${subject} learned: ${what}${ofCheckpoint(x)} ${y < 0 ? `failed: ${blobFailure(y)}` : "is done"}`;
}

const BLOB_PHRASES = {
  [PORT_TRACE.blobPutIssued]: blob((what, size) => `asked the blob store to ${what} (${bytesText(size)})`, "put an object"),
  [PORT_TRACE.blobPutApplied]: blob((what, size) => `has ${what} in the blob store (${bytesText(size)})`, "put an object"),
  [PORT_TRACE.blobPutReplied]: blobAnswer("putting an object"),
  [PORT_TRACE.blobGetIssued]: blob((what) => `asked the blob store to ${what}`, "get an object"),
  [PORT_TRACE.blobGetReplied]: blobAnswer("getting an object"),
  [PORT_TRACE.blobDeleteIssued]: blob((what) => `asked the blob store to ${what}`, "delete an object"),
  [PORT_TRACE.blobDeleteApplied]: blob((what, size) => `has ${what} in the blob store (${bytesText(size)})`, "deleted an object"),
  [PORT_TRACE.blobDeleteReplied]: blobAnswer("deleting an object"),
  [PORT_TRACE.blobListed]: blob((what) => `asked the blob store to ${what}`, "list objects"),
  [PORT_TRACE.blobListReplied]: blobAnswer("listing objects"),
} as const satisfies Partial<Record<PortTraceKind, Phrase>>;

const SERVICE_PHRASES = {
  [PORT_TRACE.coordinationIssued]: ({ subject, x, named }) => `${subject} asked Coordination to ${coordinationCall(x)} ${named ?? ""}`,
  [PORT_TRACE.coordinationApplied]: ({ subject, x, named }) => `Coordination did for ${subject}: ${coordinationCall(x)} ${named ?? ""}`,
  [PORT_TRACE.coordinationReplied]: ({ subject, x, named }) => `Coordination answered ${subject}: ${coordinationCall(x)} ${named ?? ""}`,
  [PORT_TRACE.leaseExpired]: ({ subject, x, y }) => `the lease ${subject} ${y === LEASE_TAKEN ? "was taken away" : "expired"} (epoch ${x})`,
  [PORT_TRACE.logIssued]: ({ subject, x, y }) => `asked the log to ${logCall(x)}${records(y)}: ${subject}`,
  [PORT_TRACE.logApplied]: ({ subject, x, y }) => `the log did: ${logCall(x)}${records(y)}: ${subject}`,
  [PORT_TRACE.logReplied]: ({ subject, x, y }) => `the log answered: ${logCall(x)}${y < 0 ? ` failed, ${logFailure(y)}` : records(y)}: ${subject}`,
  [PORT_TRACE.transactionTimedOut]: ({ subject, y }) => `the log aborted an open transaction of ${subject} after its timeout${records(y)}`,
} as const satisfies Partial<Record<PortTraceKind, Phrase>>;

function records(count: number): string {
  return count === 0 ? "" : ` (${counted(count, "record")})`;
}

const PROCESS_PHRASES = {
  [PORT_TRACE.timerRan]: ({ subject }) => `a scheduled callback of ${subject} runs`,
  [PORT_TRACE.userCall]: ({ subject, x }) => `${subject} calls user code: ${userCall(x)}`,
  [PORT_TRACE.versionStarted]: ({ subject, x, y }) => `version ${x} of ${subject} starts from savepoint ${y}`,
  [PORT_TRACE.processStopped]: ({ subject, x }) => `${subject} was told to end (incarnation ${x})`,
  [PORT_TRACE.processStarted]: ({ subject, x }) => `${subject} started (incarnation ${x})`,
  [PORT_TRACE.processCrashed]: ({ subject, x }) => `${subject} crashed (incarnation ${x})`,
  [PORT_TRACE.processPaused]: ({ subject }) => `${subject} stands still`,
  [PORT_TRACE.processResumed]: ({ subject }) => `${subject} goes on`,
  [PORT_TRACE.hostCrashed]: ({ subject, x }) => `${subject} lost power${x === 1 ? ", and an empty host takes its place" : ""}`,
  [PORT_TRACE.hostStarted]: ({ subject }) => `${subject} is up again`,
  [PORT_TRACE.faultFired]: ({ subject, x, named }) => `fault ${x} strikes: ${named ?? "unknown"}${subject === "" ? "" : `, at ${subject}`}`,
  [PORT_TRACE.partitionStarted]: () => "the network is cut in two",
  [PORT_TRACE.partitionHealed]: () => "the network is whole again",
  [PORT_TRACE.healed]: () => "chaos ends: no fault strikes from here on",
} as const satisfies Partial<Record<PortTraceKind, Phrase>>;

/** By kind: what ports and the outside world do, in words. The compiler sees to it that none is missing. */
export const PORT_PHRASES: Readonly<Record<PortTraceKind, Phrase>> = {
  ...NETWORK_PHRASES,
  ...DISK_PHRASES,
  ...BLOB_PHRASES,
  ...SERVICE_PHRASES,
  ...PROCESS_PHRASES,
};
