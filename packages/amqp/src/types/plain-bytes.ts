/**
 * The same bytes as nothing but an `Uint8Array`. What Node reads from sockets is a `Buffer`, of which `slice` makes a view
 * where that of an `Uint8Array` makes a copy.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
