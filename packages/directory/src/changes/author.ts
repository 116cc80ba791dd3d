/** Who gave a command, as far as anyone can tell. */
export interface Author {
  readonly who: string;
  /** Whether a token proved it. */
  readonly verified: boolean;
}

/** The author of what the directory does by itself. */
export const DIRECTORY: Author = { who: "directory", verified: true };
