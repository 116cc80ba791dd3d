import { type ErrorCode, ProtocolError } from "@datawire/protocol";

/** What went wrong, for programs: the words of the protocol, and two of the library's own. */
export type MdkErrorCode = ErrorCode | "deadline_exceeded" | "stopped";

/** The one error that the library throws or rejects with; its `code` is of a closed set. */
export class MdkError extends Error {
  override readonly name = "MdkError";
  readonly code: MdkErrorCode;

  constructor(code: MdkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An error of the protocol's as one of the library's; any other as it is. */
function toMdkError(error: unknown): unknown {
  if (!(error instanceof ProtocolError)) return error;
  return new MdkError(error.code, error.message, { cause: error });
}

/** Does what may be refused by the rules of the protocol. @throws MdkError with the code of the refusal. */
export function translating<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toMdkError(error);
  }
}
