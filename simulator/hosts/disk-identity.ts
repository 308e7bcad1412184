import { checkpointOfKey } from "./sim-blob-store.ts";

/** What a trace point at a disk says about the file: enough to name "the first fsync of a table on host-1". */
export interface DiskIdentity {
  /** Interned "<host>:<role>". */
  readonly subject: number;
  /** The checkpoint that the path belongs to ("…/chk-7/…"), or -1. */
  readonly checkpoint: number;
}

/** The role of directories, and of descriptors that stand for nothing. */
export const DIRECTORY_ROLE = "directory";
export const NO_FILE_ROLE = "none";

/** Suffixes of files that are being written in order to be renamed. */
const TEMPORARY: readonly string[] = [".new", ".tmp"];

/**
 * What a file is for, from its last name: the extension ("000012.table": "table"), or, without one, the name up
 * to its number ("MANIFEST-000004": "manifest"). A file that is going to be renamed has the role of what it
 * will be ("generation.new": "generation").
 */
export function roleOfFile(path: string): string {
  let name = path.slice(path.lastIndexOf("/") + 1);
  for (const suffix of TEMPORARY) if (name.endsWith(suffix)) name = name.slice(0, -suffix.length);
  const dot = name.lastIndexOf(".");
  const word = dot >= 0 && dot < name.length - 1 ? name.slice(dot + 1) : name;
  const letters = upToNumber(word).toLowerCase();
  return letters === "" ? "file" : letters;
}

/** Up to the first digit, without what joins the two. */
function upToNumber(word: string): string {
  let end = 0;
  while (end < word.length && !isDigit(word.charCodeAt(end))) end += 1;
  if (end < word.length) while (end > 0 && "-_.".includes(word.charAt(end - 1))) end -= 1;
  return word.slice(0, end);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function checkpointOfPath(path: string): number {
  return checkpointOfKey(path);
}

/** The subject of a host's trace points at files of one role. */
export function diskSubject(host: string, role: string): string {
  return `${host}:${role}`;
}

const TABLE_ROLE = "table";
/** The role of the one write that makes a table of a file: its footer (engine/state/backends/lsm/FORMAT.md). */
export const TABLE_FOOTER_ROLE = "table-footer";
/** "WWLSMT", what the footer begins with before its version. */
const FOOTER_MAGIC: readonly number[] = [0x57, 0x57, 0x4c, 0x53, 0x4d, 0x54];

export function isTable(path: string): boolean {
  return roleOfFile(path) === TABLE_ROLE;
}

/** True for bytes that go to a table and are its footer. */
export function isTableFooter(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length < FOOTER_MAGIC.length) return false;
  for (let i = 0; i < FOOTER_MAGIC.length; i += 1) if (bytes[offset + i] !== FOOTER_MAGIC[i]) return false;
  return true;
}
