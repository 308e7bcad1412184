import { InvariantError } from "../base/assert.ts";
import { isProcessDied } from "../ports/process-ports.ts";

/** What user code threw, in words. What is ours (a bug, the death of the process) is thrown on. */
export function userErrorText(error: unknown): string {
  if (isProcessDied(error) || error instanceof InvariantError) throw error;
  return error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${String(error)}`;
}
