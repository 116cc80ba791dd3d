/** Where packages are built. */
export interface BuildContext {
  /** A folder for what is needed on the way. */
  readonly work: string;
  /** The folder for the packages. */
  readonly out: string;
  /** The time, in seconds, of every file. */
  readonly epoch: number;
  /** How hard zstd tries, 1 to 19. */
  readonly zstdLevel: number;
}
