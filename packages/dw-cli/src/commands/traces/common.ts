import { type Dw, type Input, optionText } from "../../context/dw.ts";
import { misuse, readService } from "../../context/operands.ts";

/** How many traces or events are shown, where nobody says. */
export const LIMIT_DEFAULT = "20";

/** How many to show. @throws ExitError for what is no number. */
export function readCount(text: string, option: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw misuse(`Cannot use ${JSON.stringify(text)} as ${option}: wanted a number from 1 to 999999`);
}

/** Options that the directory reads as they were typed. */
export function asTyped(input: Input, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = optionText(input, name);
      return typeof value === "string" ? [[name, value]] : [];
    }),
  );
}

/** The service that was asked for: an address, or a name as spans have it, which OpenTelemetry lets be anything. */
export function serviceOf(input: Input): { readonly service?: string } {
  const service = optionText(input, "service");
  if (typeof service !== "string") return {};
  return { service: service.startsWith("//") ? readService(service) : service };
}

/** Says which directories did not answer: what they have is not shown. */
export function noteLosses(dw: Pick<Dw, "output">, { missing }: { readonly missing: readonly string[] }): void {
  if (missing.length > 0)
    dw.output.note(`without what these directories have, which did not answer: ${missing.join(", ")}`);
}

/** The words of a query, as they were typed one after the other. */
export function queryOf({ operands }: Input): { readonly q?: string } {
  const q = operands.filter((word) => word !== undefined).join(" ");
  return q === "" ? {} : { q };
}
