/** The folder of a log, as the log sees it; a simulated one loses and tears what it may. */
export interface Disk {
  /** The names of the files that are there. */
  list(): Promise<readonly string[]>;
  /** Makes an empty file, or empties the one that is there; its name is safe after `syncFolder`. */
  create(name: string): Promise<DiskFile>;
  open(name: string): Promise<DiskFile>;
  remove(name: string): Promise<void>;
  /** After it, names that were made are there, and those that were removed are gone, whatever happens. */
  syncFolder(): Promise<void>;
}

/** An open file of a log. */
export interface DiskFile {
  size(): Promise<number>;
  /** Writes all of the bytes, or rejects; what a failed write has left is unknown. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** After it, what was written survives a loss of power: fdatasync. */
  sync(): Promise<void>;
  /** Up to so many bytes; fewer at the end of the file. They may be put into a buffer that is large enough for them. */
  read(position: number, length: number, into?: Buffer): Promise<Uint8Array>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}
