import { readFileSync } from "node:fs";
import { dayStartMs } from "./calendar.ts";
import { MINUTE_MS } from "./flight.ts";
import type { Flight } from "./flight.ts";

/**
 * The flight data that ships with the scenarios (see scenarios/data/README.md for origin and form). Each
 * file is read at the first call and frozen, so that it stays the same whatever ran before.
 */

const loaded: { twoThousand: readonly Flight[] | null; twentyThousand: readonly Flight[] | null } = {
  twoThousand: null,
  twentyThousand: null,
};

/** 2,000 flights, sorted by date. */
export function flights2k(): readonly Flight[] {
  loaded.twoThousand ??= load("flights-2k.txt");
  return loaded.twoThousand;
}

/** 20,000 flights, sorted by date. */
export function flights20k(): readonly Flight[] {
  loaded.twentyThousand ??= load("flights-20k.txt");
  return loaded.twentyThousand;
}

function load(name: string): readonly Flight[] {
  // From dist/scenarios/: the data stays where it is, in scenarios/data/.
  return parseCompactFlights(readFileSync(new URL(`../../scenarios/data/${name}`, import.meta.url), "utf8"));
}

/** Reads the compact form. The files are ours: a line that is wrong is a damaged installation. */
export function parseCompactFlights(text: string): readonly Flight[] {
  const flights: Flight[] = [];
  let dayMs: number | null = null;
  let lineNumber = 0;
  for (const line of text.split("\n")) {
    lineNumber++;
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("@")) {
      dayMs = dayStartMs(Number(line.slice(1, 5)), Number(line.slice(6, 8)), Number(line.slice(9, 11)));
      continue;
    }
    const [time, delay, distance, origin, destination] = line.split(" ");
    if (dayMs === null || time?.length !== 4 || !origin || !destination) {
      throw new Error(`The flight data that ships with Whitewater is damaged at line ${lineNumber}; install it again.`);
    }
    const minutes = Number(time.slice(0, 2)) * 60 + Number(time.slice(2));
    flights.push(
      Object.freeze({
        departureMs: dayMs + minutes * MINUTE_MS,
        delay: Number(delay),
        distance: Number(distance),
        origin,
        destination,
      }),
    );
  }
  return Object.freeze(flights);
}
