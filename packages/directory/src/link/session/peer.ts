/** Where a connection comes from. */
export interface Peer {
  readonly address: string;
  /** Whether it comes over loopback. */
  readonly local: boolean;
}
