/** Whether the full counts are wanted (`npm run soak`) or those scaled to five minutes (`npm test`). */
export const SOAKING: boolean = process.env["DSTACK_SOAK"] === "1";

/** A count as the issue of a scenario names it when soaking, a smaller one otherwise. */
export function scaled(full: number, brief: number): number {
  return SOAKING ? full : brief;
}
