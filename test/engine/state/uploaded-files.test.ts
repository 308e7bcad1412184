import { describe, expect, it } from "vitest";
import type { StoreFile } from "#whitewater/engine/state/ordered-store.js";
import { UploadedFiles } from "#whitewater/engine/state/uploaded-files.js";

function files(text: string): ReadonlyMap<string, StoreFile> {
  const pairs = text.split(" ").filter((part) => part !== "");
  return new Map(pairs.map((name) => [name[0]!, { name, sizeBytes: 1, checksum: 1, bytes: null }]));
}

/** Takes a snapshot of these files, and says which it named again. */
function take(uploads: UploadedFiles<string>, id: number, text: string): string {
  const reusable = uploads.begin(id);
  const named = new Map([...files(text)].map(([content, file]) => [content, reusable.get(content) ?? file]));
  uploads.complete(id, named);
  return [...reusable.values()].map(({ name }) => name).join(" ");
}

describe("the files of a task's snapshots", () => {
  it("are named again once their checkpoint is confirmed, and not before (FLINK-25395)", () => {
    const uploads = new UploadedFiles<string>();
    expect(take(uploads, 1, "a1 b1")).toBe("");
    expect(take(uploads, 2, "a2 b2")).toBe("");
    uploads.confirm(1);
    uploads.forget(2);
    expect(take(uploads, 3, "a3 b3 c3")).toBe("a1 b1");
  });

  it("stay the base when news comes of a savepoint, of an aborted checkpoint, or late (FLINK-23949)", () => {
    const uploads = new UploadedFiles<string>();
    take(uploads, 1, "a1");
    uploads.confirm(1);
    take(uploads, 3, "a3 b3");
    uploads.forget(3);
    expect([uploads.confirm(2), uploads.confirm(3), uploads.confirm(99)]).toEqual([false, false, false]);
    expect(take(uploads, 4, "a4")).toBe("a1");
    uploads.confirm(4);
    uploads.confirm(1);
    expect(take(uploads, 5, "a5")).toBe("a1");
  });

  it("are not named again where a snapshot in flight does without them: it may complete first, unheard", () => {
    const uploads = new UploadedFiles<string>();
    take(uploads, 1, "a1");
    take(uploads, 2, "a2");
    uploads.confirm(1);
    // Checkpoint 2 may have completed: then a1 is deleted.
    expect(take(uploads, 3, "a3")).toBe("");
    uploads.confirm(2);
    expect(take(uploads, 4, "a4")).toBe("");
    uploads.forget(3);
    uploads.forget(4);
    expect(take(uploads, 5, "a5")).toBe("a2");
  });

  it("of a snapshot that was not finished are never a base", () => {
    const uploads = new UploadedFiles<string>();
    uploads.begin(1);
    expect(uploads.confirm(1)).toBe(false);
    expect(take(uploads, 2, "a2")).toBe("");
  });

  it("of the restored checkpoint are a base where they are kept", () => {
    const uploads = new UploadedFiles<string>();
    uploads.restored(files("a0 b0"));
    expect(take(uploads, 7, "a7 b7")).toBe("a0 b0");
  });
});
