// Makes the compact copies of the flight data that ship with the scenario `flights`:
//
//     node scripts/flights-data.mjs
//
// reads node_modules/vega-datasets/data/flights-{2k,20k}.json and writes scenarios/data/flights-{2k,20k}.txt.
// The format is described in scenarios/data/README.md. The rows keep their order; nothing is left out.
import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("node_modules/vega-datasets/package.json", root), "utf8"));

for (const size of ["2k", "20k"]) {
  const rows = JSON.parse(readFileSync(new URL(`node_modules/vega-datasets/data/flights-${size}.json`, root), "utf8"));
  const target = new URL(`scenarios/data/flights-${size}.txt`, root);
  const text = compact(rows, size);
  writeFileSync(target, text);
  console.log(`${rows.length} flights, ${text.length} bytes: scenarios/data/flights-${size}.txt`);
}

function compact(rows, size) {
  const lines = [
    `# ${rows.length} flights within the United States, January to March 2001.`,
    `# Origin: US Bureau of Transportation Statistics, on-time performance (www.transtats.bts.gov),`,
    `# by way of flights-${size}.json in the npm package vega-datasets ${version} (BSD-3-Clause).`,
    `# Made by scripts/flights-data.mjs; see README.md here.`,
  ];
  let day = "";
  for (const { date, delay, distance, origin, destination } of rows) {
    const parts = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d)$/.exec(date);
    if (parts === null) throw new Error(`a date of another form: ${date}`);
    if (!Number.isInteger(delay) || !Number.isInteger(distance)) throw new Error(`not whole: ${date}`);
    for (const airport of [origin, destination]) {
      if (!/^[A-Z]{3}$/.test(airport)) throw new Error(`an airport of another form: ${airport}`);
    }
    const rowDay = `${parts[1]}-${parts[2]}-${parts[3]}`;
    if (rowDay !== day) lines.push(`@${rowDay}`);
    day = rowDay;
    lines.push(`${parts[4]}${parts[5]} ${delay} ${distance} ${origin} ${destination}`);
  }
  return lines.join("\n") + "\n";
}
