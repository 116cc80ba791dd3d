import { FrameSplitter } from "../frames/splitter.ts";

/** Bytes as hexadecimal text. */
export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Hexadecimal text, with blanks anywhere, as bytes. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(/\s/g, "").match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** A frame around a body. */
export function frame(body: string, channel = 0, type = 0): Uint8Array {
  const bytes = fromHex(body);
  const size = (bytes.length + 8).toString(16).padStart(8, "0");
  return fromHex(`${size} 02 ${hex(type, 2)} ${hex(channel, 4)} ${body}`);
}

/** A performative: its code, and its fields as hexadecimal text. */
export function performative(code: string, ...fields: readonly string[]): string {
  const content = fields.join(" ");
  return `00 53 ${code} c0 ${hex(fromHex(content).length + 1, 2)} ${hex(fields.length, 2)} ${content}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** All frames that are in bytes, without protocol headers: how much each of them is. */
export function splitFrames(bytes: Uint8Array): Uint8Array[] {
  const splitter = new FrameSplitter(2 ** 31);
  const frames: Uint8Array[] = [];
  splitter.push(bytes);
  for (;;) {
    splitter.expectHeader = bytes[frames.reduce((sum, { length }) => sum + length, 0)] === 0x41;
    if (!splitter.next()) return frames;
    frames.push(splitter.bytes.slice(splitter.end - splitter.size, splitter.end));
  }
}
