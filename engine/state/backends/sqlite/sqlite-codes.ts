/** Result codes, open flags and capabilities of SQLite that the store and its VFS use; the values of sqlite3.h. */
export const SQLITE_OK = 0;
export const SQLITE_CORRUPT = 11;
export const SQLITE_NOTFOUND = 12;
export const SQLITE_FULL = 13;
export const SQLITE_CANTOPEN = 14;
export const SQLITE_NOTADB = 26;
export const SQLITE_ROW = 100;
export const SQLITE_DONE = 101;

export const SQLITE_IOERR = 10;
export const SQLITE_IOERR_READ = 266;
export const SQLITE_IOERR_SHORT_READ = 522;
export const SQLITE_IOERR_WRITE = 778;
export const SQLITE_IOERR_FSYNC = 1034;
export const SQLITE_IOERR_TRUNCATE = 1546;
export const SQLITE_IOERR_FSTAT = 1802;
export const SQLITE_IOERR_DELETE = 2570;
export const SQLITE_IOERR_ACCESS = 3338;

export const SQLITE_OPEN_READONLY = 0x1;
export const SQLITE_OPEN_READWRITE = 0x2;
export const SQLITE_OPEN_CREATE = 0x4;
export const SQLITE_OPEN_EXRESCODE = 0x02000000;

/** The file never changes while it is open: no locks, no look for journals, no second read of page 1. */
export const SQLITE_IOCAP_IMMUTABLE = 0x2000;

/** The part of an extended code that says what kind of failure it is. */
export function primaryCode(code: number): number {
  return code & 0xff;
}
