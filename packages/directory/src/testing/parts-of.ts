/** Bytes as they come from a file or a socket: in parts, cut anywhere. */
export async function* partsOf(bytes: Uint8Array | string, partBytes = 1_000): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(bytes);
  for (let at = 0; at < all.length; at += partBytes) yield all.subarray(at, at + partBytes);
}
