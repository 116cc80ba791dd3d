import { describeError, ExitError, exitCodes } from "@datawire/runtime";

/** One address that was tried, as `//host/directory`, and why it did not do. */
export interface Attempt {
  readonly address: string;
  readonly reason: string;
}

/** None of the addresses of a directory answers as one. */
export class Unreachable extends ExitError {
  override readonly name = "Unreachable";
  readonly attempts: readonly Attempt[];

  constructor(attempts: readonly Attempt[]) {
    const tried = attempts.map(({ address, reason }) => `${address}: ${reason}`).join("; ");
    super(exitCodes.unreachable, `Cannot reach the directory: ${tried}`);
    this.attempts = attempts;
  }
}

/** Why a directory of one address did not answer, without the address, which stands beside it. */
export function describeSilence(failure: unknown): string {
  if (failure instanceof Unreachable) return failure.attempts.map(({ reason }) => reason).join("; ");
  return describeError(failure);
}
