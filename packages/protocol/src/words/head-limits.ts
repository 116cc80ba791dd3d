/**
 * How much of the head of a request or a response passes: written once, as Sherlock gives these numbers to HAProxy and
 * Watson's check goes by them too. Larger buffers cost each request that HAProxy may have to repeat a longer copy.
 */
export const HEAD_LIMITS = {
  /** The headers of a request together: the largest that nginx and Kestrel take; Node and IIS have 16 kB. */
  headerBytes: 32_768,
  urlBytes: 16_384,
  /** Lines, with the first one. */
  lines: 1_000,
  /** One buffer of HAProxy's, which holds a whole head and eight bytes for each of its lines. */
  bufferBytes: 36_864,
  /** Of the buffer, what is kept free for headers that are added. */
  rewriteBytes: 2_048,
} as const;
