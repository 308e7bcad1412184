import { fileURLToPath } from "node:url";

/** The record that comes along for the guided tour. */
export const TOUR_RECORD: string = fileURLToPath(new URL("../../../scenarios/tour/tour.json", import.meta.url));
