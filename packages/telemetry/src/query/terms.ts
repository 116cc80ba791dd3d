import { own } from "@datawire/protocol";
import type { EventRecord, Json, SpanRecord } from "../model/records.ts";
import { hasPhrase, wordsOf } from "./words.ts";

/** What one part of a query asks for. */
export type Term =
  /** These words, one after the other. */
  | { readonly kind: "phrase"; readonly words: readonly string[] }
  /** An attribute, or a field, of this value; case does not matter. */
  | { readonly kind: "pair"; readonly key: string; readonly value: string };

/** More terms of a query are left out. */
const TERMS_MAX = 32;

/** `word`, `"a phrase"`, `key=value` or `key="a value"`. */
const TERM = /([^\s"=]+)=(?:"([^"]*)"?|(\S*))|"([^"]*)"?|([^\s"]+)/g;

/** Reads a query; all its terms must match. */
export function parseTerms(query: string): Term[] {
  return [...query.matchAll(TERM)].slice(0, TERMS_MAX).flatMap(([, key, quotedValue, value, quoted, bare]): Term[] => {
    if (key !== undefined) return [{ kind: "pair", key, value: quotedValue ?? value ?? "" }];
    const words = wordsOf(quoted ?? bare ?? "");
    return words.length === 0 ? [] : [{ kind: "phrase", words }];
  });
}

/** Whether a span is what a term asks for. */
export function spanMatches(span: SpanRecord, term: Term): boolean {
  const { name, kind, status, message, scope, spanId, traceId } = span;
  if (term.kind === "pair") {
    const fields = { name, kind, status, spanid: spanId, traceid: traceId, scope, ...fieldsOf(span) };
    return pairMatches(term, { fields, record: span });
  }
  return phraseMatches(term.words, [name, message ?? "", scope ?? "", ...textsOf(span)]);
}

/** Whether an event is what a term asks for. */
export function eventMatches(event: EventRecord, term: Term): boolean {
  const { level, category, text, traceId, spanId } = event;
  if (term.kind === "pair") {
    const { node, environment } = event.resource;
    const fields = { level, category, node, environment, traceid: traceId, spanid: spanId, ...fieldsOf(event) };
    return pairMatches(term, { fields, record: event });
  }
  return phraseMatches(term.words, [text, category, ...textsOf(event)]);
}

type Of = Pick<SpanRecord, "attributes" | "resource">;

const fieldsOf = ({ resource: { service, version, instance } }: Of) => ({ service, version, instance });

function pairMatches(
  { key, value }: Extract<Term, { kind: "pair" }>,
  { fields, record }: { readonly fields: Readonly<Record<string, string | null>>; readonly record: Of },
): boolean {
  const wanted = value.toLowerCase();
  return [
    own(record.attributes, key),
    own(record.resource.attributes, key),
    own(fields, key.toLowerCase()),
    // As OpenTelemetry calls what stands in fields here.
    ...(key.startsWith("service.") ? [own(fields, key === "service.name" ? "service" : key.slice(8))] : []),
  ].some((found) => found !== undefined && found !== null && valueText(found).toLowerCase() === wanted);
}

/** A value as people write it. */
export const valueText = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

const phraseMatches = (words: readonly string[], texts: readonly string[]): boolean =>
  texts.some((text) => hasPhrase(text, words));

/** What of a record can be found by its words, beside what spans and events have of their own. */
function textsOf({ attributes, resource }: Of): string[] {
  const { service, version, instance, node, attributes: more } = resource;
  const said = [service, version, instance, node].filter((text) => text !== null);
  return [...said, ...[attributes, more].flatMap((all) => Object.values(all).map(valueText))];
}
