/** What an error says, for an operator's eyes. */
export function describeProblem(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
