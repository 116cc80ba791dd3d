import { Sections, textOf, Typed } from "@datawire/amqp";
import { own, type Sticky } from "@datawire/protocol";
import type { RequestFacts } from "@datawire/routing";

const sections = new Sections();

/** What routes look at in a message. */
export interface MessageFacts {
  /** `path:` is the sub-address, `header:X` the application property X: names count without regard to case. */
  readonly request: RequestFacts;
  readonly groupId: string | null;
  readonly subject: string | null;
  /** An application property, by its name as it is written. */
  property(name: string): string | null;
}

/** Reads it; what cannot be read has nothing to go by. */
export function readFacts(payload: Uint8Array, path: string): MessageFacts {
  const texts = new Map<string, string>();
  let groupId: string | null = null;
  let subject: string | null = null;
  try {
    if (sections.scan(payload)) {
      for (const [name, value] of sections.applicationProperties() ?? []) {
        const text = textOfValue(value);
        if (typeof name === "string" && text !== null) texts.set(name, text);
      }
      const properties = sections.properties();
      groupId = properties?.groupId ?? null;
      subject = properties?.subject ?? null;
    }
  } catch {
    // It was taken as it is, and goes where a message without properties goes.
  }
  const headers = Object.fromEntries([...texts].map(([name, text]) => [name.toLowerCase(), text]));
  return { request: { path, headers }, groupId, subject, property: (name) => texts.get(name) ?? null };
}

/** What a sticky table goes by; null for a message that has none. */
export function stickyValue(sticky: Sticky | null, { request }: MessageFacts): string | null {
  if (sticky?.kind !== "header") return null;
  return own(request.headers ?? {}, sticky.name) ?? null;
}

function textOfValue(value: unknown): string | null {
  const plain = value instanceof Typed ? value.value : value;
  if (typeof plain === "number" || typeof plain === "bigint" || typeof plain === "boolean") return String(plain);
  return textOf(value as Parameters<typeof textOf>[0]);
}
