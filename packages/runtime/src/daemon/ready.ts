/** Why a process is not ready: each part that is not, with its reason. */
export interface PartNotReady {
  readonly part: string;
  readonly reason: string;
}

/** The named parts that a process waits for before it says that it is ready. */
export interface Readiness {
  /** Adds a part, not ready yet for `reason`. */
  add(part: string, reason: string): ReadinessPart;
  /** The parts that are not ready; empty when the process is. */
  missing(): readonly PartNotReady[];
  /** Calls `listener` each time the process as a whole becomes ready or stops being it, and now if it is ready. */
  onChange(listener: (ready: boolean) => void): void;
  /** Says that all parts have been added: until then the process is not ready, however many parts are. */
  seal(): void;
}

/** How one part says whether it is ready. */
export interface ReadinessPart {
  ready(): void;
  notReady(reason: string): void;
}

/** Makes an empty set of parts. */
export function createReadiness(): Readiness {
  const reasons = new Map<string, string | null>([[STARTING, "not all parts have started"]]);
  const listeners: ((ready: boolean) => void)[] = [];
  let was = false;

  const missing = (): PartNotReady[] =>
    [...reasons].flatMap(([part, reason]) => (reason === null ? [] : [{ part, reason }]));

  const set = (part: string, reason: string | null): void => {
    reasons.set(part, reason);
    announce();
  };
  const announce = (): void => {
    const is = missing().length === 0;
    if (is === was) return;
    was = is;
    for (const listener of listeners) listener(is);
  };

  return {
    add(part, reason) {
      if (reasons.has(part))
        throw new Error(`Cannot add ${JSON.stringify(part)} to the readiness: it is there already`);
      set(part, reason);
      return { ready: () => set(part, null), notReady: (why) => set(part, why) };
    },
    missing,
    onChange(listener) {
      listeners.push(listener);
      if (was) listener(true);
    },
    seal() {
      reasons.delete(STARTING);
      announce();
    },
  };
}

const STARTING = "start";
