import { connect } from "node:net";
import { type Chance, mutateText, mutateValue } from "@datawire/protocol/testing/fuzz";
import type { RequestSample } from "./samples.ts";

/** The text of a request in which something is something else: its parts, its length, or any letter of it. */
export function mutateRequest(sample: RequestSample, chance: Chance): string {
  const changed = chance.once(4)
    ? sample
    : (mutateValue(sample, chance) as Partial<Record<keyof RequestSample, unknown>>);
  const body = textOf(changed?.body);
  const given = Array.isArray(changed?.headers) ? (changed.headers as unknown[]) : [];
  const lines = given.map((header) =>
    Array.isArray(header) ? `${textOf(header[0])}: ${textOf(header[1])}` : textOf(header),
  );
  const length = chance.once(6) ? chance.int(1_000) : Buffer.byteLength(body);
  const head = [`${textOf(changed?.method)} ${textOf(changed?.path)} HTTP/1.1`, "host: localhost", ...lines];
  const text = `${[...head, `content-length: ${length}`].join("\r\n")}\r\n\r\n${body}`;
  return chance.once(3) ? mutateText(text, chance) : text;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** How long an answer is waited for: what is not answered by then waits for more of the request. */
const ANSWER_MS_MAX = 200;

/** Sends a text to a port and resolves when something came back, the connection ended, or nothing came for a while. */
export function sendRequest(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    const end = (): void => {
      socket.destroy();
      resolve();
    };
    socket.setTimeout(ANSWER_MS_MAX, end);
    socket.once("data", end);
    socket.once("error", end);
    socket.once("close", end);
  });
}
