/** Keys of terminals that Ink knows, with what modifies them: the number before "~", the letter at the end. */
const NUMBERS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24]);
const LETTERS = "ABCDEFHZabcde";
const MODIFIED = /\u001b+\[{1,2}(?:(\d+);\d+[~^$]|(?:1;)?\d+([A-Za-z]))/g;

/**
 * Input without modified keys that Ink has no name for, such as ctrl-F1 ("\u001b[1;5P"), or colours in what is pasted:
 * Ink 6.8 throws at them, which would end the program. None of them means anything here.
 */
export function withoutNamelessKeys(input: string): string {
  return input.replace(MODIFIED, (sequence, number?: string, letter?: string) => {
    const hasName = number === undefined ? LETTERS.includes(letter ?? "") : NUMBERS.has(Number(number));
    return hasName ? sequence : "";
  });
}

/** The stream of keys as Ink may read it. Everything but what is read is the stream's own. */
export function inkInput(stdin: NodeJS.ReadStream): NodeJS.ReadStream {
  const read = (size?: number): unknown => {
    const piece: unknown = stdin.read(size);
    return typeof piece === "string" ? withoutNamelessKeys(piece) : piece;
  };
  return new Proxy(stdin, {
    get(target, name): unknown {
      if (name === "read") return read;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
