/** A template that cannot be used; the message has the file and the line. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
  /** What is wrong, for whoever tells the place apart from it. */
  readonly reason: string;
  /** Null for a file that cannot be read. */
  readonly place: { readonly file: string; readonly line: number } | null;

  constructor(message: string, { place = null, reason = message, cause }: TemplateErrorDetails = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.reason = reason;
    this.place = place;
  }
}

interface TemplateErrorDetails {
  readonly place?: TemplateError["place"];
  readonly reason?: string;
  readonly cause?: unknown;
}

/** Handlebars says the line in its message (`Parse error on line 3:`) or as a field (`lineNumber`). */
export function templateError(file: string, error: unknown): TemplateError {
  const message = error instanceof Error ? error.message : String(error);
  const field = error instanceof Error && "lineNumber" in error ? Number(error.lineNumber) : Number.NaN;
  const said = /(?:on line |- )(\d+)(?::|$)/.exec(message)?.[1];
  const line = Number.isNaN(field) ? said : String(field);
  const plain = message.replace(/\s*\n[\s\S]*?(?=Expecting|$)/, " ").replace(/^Parse error on line \d+:\s*/, "");
  // What Handlebars says names its own tokens.
  const reason = `it is no template that Handlebars can read: ${plain.trim()}`;
  if (line === undefined) return new TemplateError(`Cannot use the template ${file}: ${reason}`, { cause: error });
  const place = { file, line: Number(line) };
  return new TemplateError(`Cannot use the template ${file}:${line}: ${reason}`, { place, reason, cause: error });
}
