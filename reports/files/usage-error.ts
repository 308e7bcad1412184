/**
 * Something outside the program is wrong: an argument, a file, an environment. Printed as one line without
 * a stack; the command exits with 2.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";

  /** `input` is what was given, `reason` what is wrong with it, `wayOut` what to do instead. */
  constructor(input: string, reason: string, wayOut: string) {
    super(`${input}: ${reason}; ${wayOut}`);
  }
}

/** The reason in words of a failed file operation. */
export function fileErrorReason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ENOENT":
      return "no such file or directory";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EISDIR":
      return "is a directory";
    case "ENOTDIR":
    case "EEXIST":
      return "a part of the path is a file, not a directory";
    case "ENOSPC":
      return "no space left on the device";
    case "EROFS":
      return "the file system is read-only";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
