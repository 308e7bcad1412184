import type { KeptCoordination, SimCoordination } from "../hosts/sim-coordination.ts";
import type { KeptLog, SimExternalLog } from "../hosts/sim-external-log.ts";
import type { SimBlobStore } from "../hosts/sim-blob-store.ts";

/** Everything outside of the cluster's hosts, as it was at one moment: another World may go on from there. */
export interface KeptServices {
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly coordination: KeptCoordination;
  readonly log: KeptLog;
}

/** The services of a World. */
export interface WorldServices {
  readonly blobs: SimBlobStore;
  readonly coordination: SimCoordination;
  readonly log: SimExternalLog;
}

/** What they hold now; between two steps, or in an observer. */
export function keepServices({ blobs, coordination, log }: WorldServices): KeptServices {
  return { blobs: blobs.keep(), coordination: coordination.keep(), log: log.keep() };
}

/** Before anything happened: they begin with what others held. */
export function loadServices(kept: KeptServices, { blobs, coordination, log }: WorldServices): void {
  blobs.load(kept.blobs);
  coordination.load(kept.coordination);
  log.load(kept.log);
}
