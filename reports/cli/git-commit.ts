import { execFileSync } from "node:child_process";

/** The commit checked out in a directory, or null where there is none. */
export function gitCommit(cwd: string): string | null {
  try {
    const output = execFileSync("git", ["rev-parse", "HEAD"], {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 3000,
    });
    const hash = output.trim().toLowerCase();
    return /^[0-9a-f]{40}/.test(hash) ? hash : null;
  } catch {
    return null;
  }
}
