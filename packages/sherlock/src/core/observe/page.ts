import type { ServiceListing } from "@datawire/api";

/** The list of services at `/`, in the form that the client asks for. */
export interface Page {
  readonly contentType: string;
  readonly body: string;
}

/** What the page of services shows. */
export interface PageInput {
  readonly caller: string;
  readonly services: readonly ServiceListing[];
  /** service → `HOST:PORT` of a TCP service. */
  readonly tcp: ReadonlyMap<string, string>;
  /** What a reader has to know first: that the table is old, say; null for nothing. */
  readonly notice: string | null;
}

/** Renders by the client's `Accept`: JSON, HTML, else plain text. */
export function renderPage(input: PageInput, accept: string): Page {
  if (accept.includes("application/json")) return { contentType: "application/json", body: json(input) };
  if (accept.includes("text/html")) return { contentType: "text/html; charset=utf-8", body: html(input) };
  return { contentType: "text/plain; charset=utf-8", body: text(input) };
}

interface Row {
  readonly name: string;
  readonly at: string;
  /** What stands before `at`, which for a TCP service does not say its name. */
  readonly label: string;
  readonly status: string;
  readonly live: number;
  readonly total: number;
  readonly reason: string;
}

function rows({ services, tcp }: PageInput): Row[] {
  return services.map((service) => ({
    name: service.service,
    at: service.protocol === "tcp" ? (tcp.get(service.service) ?? "no local port") : `/${service.service}/`,
    label: service.protocol === "tcp" ? `${service.service}: ` : "",
    status: service.status,
    live: service.instances.filter(({ state }) => state === "live" || state === "lost").length,
    total: service.instances.length,
    reason: service.reason ?? "",
  }));
}

function json(input: PageInput): string {
  const services = rows(input).map(({ name, at, status, live, total, reason }) => ({
    service: name,
    at,
    status,
    live,
    instances: total,
    reason: reason === "" ? null : reason,
  }));
  return `${JSON.stringify({ caller: input.caller, notice: input.notice, services }, null, 2)}\n`;
}

function text(input: PageInput): string {
  const lines = rows(input).map(
    ({ at, label, status, live, total, reason }) =>
      `${label}${at}  ${status}, ${live} of ${total} live${reason && `: ${reason}`}`,
  );
  const head = [`Services that ${input.caller} can reach here:`, ...(input.notice === null ? [] : [input.notice])];
  return `${[...head, ...(lines.length === 0 ? ["none"] : lines)].join("\n")}\n`;
}

function html(input: PageInput): string {
  const items = rows(input).map(({ at, label, status, live, total, reason }) => {
    const place = at.startsWith("/")
      ? `<a href="${escapeHtml(at)}">${escapeHtml(at)}</a>`
      : escapeHtml(`${label}${at}`);
    return `<tr><td>${place}<td>${status}<td>${live} of ${total} live<td>${escapeHtml(reason)}`;
  });
  const notice = input.notice === null ? "" : `<p><b>${escapeHtml(input.notice)}</b>`;
  return `<!doctype html><meta charset="utf-8"><title>Services</title><h1>Services that ${escapeHtml(input.caller)} can reach here</h1>${notice}<table cellpadding="4">${items.join("\n")}</table>\n`;
}

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
