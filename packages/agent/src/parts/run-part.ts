import {
  type Backoff,
  backoff,
  createReadiness,
  type DaemonContext,
  describeError,
  type ExitCode,
  ProblemBoard,
} from "@datawire/runtime";

/** A program that runs within this process. */
export interface Part<Settings> {
  /** As its program is called: `watson`. */
  readonly name: string;
  run(context: DaemonContext<Settings>): Promise<ExitCode | void>;
}

/** What a part has of the process around it. */
export interface PartDeps<Settings> {
  readonly context: DaemonContext<unknown>;
  /** The settings that are in force now. */
  readonly settings: () => Settings;
  /** Calls back with what a reload brings; the function returned ends that. */
  readonly onReload: (listener: (settings: Settings) => void | Promise<void>) => () => void;
  /** Calls back on SIGUSR1; the function returned ends that. */
  readonly onUserSignal: (listener: () => void) => () => void;
}

const RESTART = { baseMs: 1_000, capMs: 30_000 };
const REMEDY = "the log has the reason, and what was tried before it";

/**
 * Runs a part until the process ends, and again whenever it fails: neither what keeps one part from starting nor what
 * ends it takes the others with it. Until it is up again the process is not ready, and a problem says why.
 */
export async function runPart<Settings>(part: Part<Settings>, deps: PartDeps<Settings>): Promise<void> {
  const { context } = deps;
  const { signal, clock, board, readiness } = context;
  const log = context.log.child({ part: part.name });
  const outer = readiness.add(part.name, "has not started yet");
  let retry: Backoff = backoff({ ...RESTART, random: Math.random });
  const up = (): void => {
    retry = backoff({ ...RESTART, random: Math.random });
    board.set(part.name, []);
    outer.ready();
  };
  while (!signal.aborted) {
    const attempt = startAttempt(deps, { up, down: outer.notReady });
    try {
      await part.run({ ...attempt.context, log });
    } catch (error) {
      if (signal.aborted) throw error;
      log.error("Part ended, starting it again", { error });
      const message = `ended, and is started again: ${describeError(error)}`;
      outer.notReady(message);
      board.set(part.name, [{ subject: part.name, message, severity: "error", remedy: REMEDY }]);
    } finally {
      attempt.end();
    }
    const { delayMs, backoff: next } = retry.next();
    retry = next;
    await clock.sleep(delayMs, signal);
  }
}

interface Told {
  up(): void;
  down(reason: string): void;
}

interface Attempt<Settings> {
  readonly context: DaemonContext<Settings>;
  end(): void;
}

/** The surroundings of one run of a part: what it adds to them goes with it. */
function startAttempt<Settings>(
  { context, settings, onReload, onUserSignal }: PartDeps<Settings>,
  { up, down }: Told,
): Attempt<Settings> {
  const stop = new AbortController();
  const board = new ProblemBoard();
  const readiness = createReadiness();
  const undo = [board.include("agent", context.board)];
  readiness.onChange((ready) => {
    if (ready) up();
    else
      down(
        readiness
          .missing()
          .map(({ part, reason }) => `${part}: ${reason}`)
          .join("; "),
      );
  });
  return {
    context: {
      ...context,
      settings: settings(),
      board,
      readiness,
      signal: AbortSignal.any([context.signal, stop.signal]),
      onReload: (listener) => void undo.push(onReload(listener)),
      onUserSignal: (listener) => void undo.push(onUserSignal(listener)),
      stop: () => stop.abort(),
    },
    end() {
      stop.abort();
      for (const leave of undo) leave();
    },
  };
}
