import type { Control } from "./control.ts";

/** The experiments that bugs may name in place of scenarios. */
export const CONTROLS: readonly Control[] = [];
