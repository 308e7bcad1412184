/** Rows of cells as lines, the first row as the head; alignment of each column: "l" or "r". */
export function table(rows: readonly (readonly string[])[], alignment: string): string[] {
  const widths = [...alignment].map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (alignment[column] === "r" ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  const [head = [], ...rest] = rows;
  return [line(head), "-".repeat(widths.reduce((sum, width) => sum + width + 2, -2)), ...rest.map(line)];
}

export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function short(value: number): string {
  return value >= 1000 ? grouped(value) : value.toFixed(value < 10 ? 2 : 1);
}
