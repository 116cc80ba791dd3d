/** What a program's exit code says; the same for the four programs. Service units do not restart on `badConfiguration`. */
export const exitCodes = {
  /** Done; for a daemon, stopped by SIGTERM or SIGINT after a clean stop. */
  done: 0,
  failed: 1,
  /** A rollout that was waited for is paused, and needs a hand. */
  paused: 2,
  /** Misused command line (EX_USAGE of sysexits.h, as the three below are). */
  misused: 64,
  /** The directory is unreachable. */
  unreachable: 69,
  notAllowed: 77,
  badConfiguration: 78,
} as const;

/** One of `exitCodes`. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An error that decides the exit code of the process; any other error ends it with 1. */
export class ExitError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ExitError";
    this.exitCode = exitCode;
  }
}
