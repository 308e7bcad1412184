type Subscribe = (listener: () => void) => () => void;

/**
 * The same news, at most so often: at once where there were none for a while, else at the end of the time. What comes
 * in between is one with it. The last news are always told.
 */
export function paced(subscribe: Subscribe, frameMs: number): Subscribe {
  return (listener) => {
    let toldMs = Number.NEGATIVE_INFINITY;
    let timer: NodeJS.Timeout | null = null;
    const tell = (): void => {
      timer = null;
      listener();
      // Counted from its end: what takes long to draw leaves time for keys.
      toldMs = performance.now();
    };
    const unsubscribe = subscribe(() => {
      if (timer !== null) return;
      const waitMs = toldMs + frameMs - performance.now();
      if (waitMs <= 0) tell();
      else timer = setTimeout(tell, waitMs);
    });
    return () => {
      unsubscribe();
      if (timer !== null) clearTimeout(timer);
    };
  };
}
