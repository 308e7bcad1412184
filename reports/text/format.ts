/** 1234567 -> "1,234,567". */
export function grouped(value: number): string {
  const rounded = Math.round(value);
  // Most numbers need no comma, and there are many.
  if (rounded > -1000 && rounded < 1000) return String(rounded);
  return String(rounded).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Virtual microseconds as seconds with three decimals: "3.121s". */
export function seconds(timeUs: number): string {
  return `${(timeUs / 1e6).toFixed(3)}s`;
}

/** A long virtual duration, two units at most: "2 d 3 h", "4 min 10 s", "12.5 s". */
export function longDuration(timeUs: number): string {
  const total = timeUs / 1e6;
  if (total < 60) return `${total.toFixed(1)} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${Math.floor(total % 60)} s`;
  if (total < 86_400) return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
  return `${grouped(Math.floor(total / 86_400))} d ${Math.floor((total % 86_400) / 3600)} h`;
}

/** "1 seed", "2 seeds". */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Lines of aligned columns; the first `leftColumns` to the left, the others (numbers) to the right. */
export function table(rows: readonly (readonly string[])[], leftColumns: number): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  }
  return rows.map((row) =>
    row
      .map((cell, i) => (i < leftColumns ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** The argument as a POSIX shell reads it back. */
export function shellQuoted(argument: string): string {
  return /^[A-Za-z0-9_./:@%+=,-][A-Za-z0-9_./:@%+=,#-]*$/.test(argument)
    ? argument
    : `'${argument.replaceAll("'", "'\\''")}'`;
}

/** The candidate most like `text`, or null if none is near. */
export function nearest(text: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(text.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(text, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
