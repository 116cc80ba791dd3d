/**
 * How much of the head of a request or a response passes where nobody sets it otherwise: written once, as Sherlock gives
 * these numbers to HAProxy and Watson's check goes by them too. For each request that HAProxy may have to repeat it
 * copies a whole buffer: 36 kB cost a tenth more CPU than 24 kB.
 */
export const HEAD_LIMITS = {
  /** The headers of a request together. Node and IIS have 16 kB, Apache 8 kB a line, nginx and Kestrel 32 kB. */
  headerBytes: 20_480,
  urlBytes: 16_384,
  /** Lines, with the first one. */
  lines: 1_000,
  /** One buffer of HAProxy's, which holds a whole head and eight bytes for each of its lines. */
  bufferBytes: 24_576,
  /** Of the buffer, what is kept free for headers that are added. */
  rewriteBytes: 2_048,
} as const;
