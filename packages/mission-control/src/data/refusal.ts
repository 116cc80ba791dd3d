import type { ErrorBody } from "@datawire/protocol";

/** A request that the directory refused. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** Of the answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  /** Whether it is what was asked for, so that the same request is refused again (RFC 9110, section 15.5). */
  get isOfRequest(): boolean {
    return this.status >= 400 && this.status < 500;
  }
}

/** A request without an answer: the directory is away, or cannot be reached. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** An answer that is as it was: whoever asks has it already. */
export class Unchanged extends Error {
  override readonly name = "Unchanged";
}

/** What an answer that is not 2xx says. */
export function refusalOf(response: Response, text: string): Refusal {
  try {
    const body = JSON.parse(text) as Partial<ErrorBody> | null;
    if (typeof body?.error?.message === "string") return new Refusal(response.status, body.error.message);
  } catch {
    // No JSON: what stands between here and the directory answered.
  }
  return new Refusal(response.status, `The directory answered ${response.status} ${response.statusText}`.trim());
}

/** What an error says to a person. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
