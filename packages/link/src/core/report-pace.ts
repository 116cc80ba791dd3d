/** Counters are told this often. */
const REPORT_MS = 5_000;
/** While routes have just changed, this often: a version that fails on its first requests is known by them. */
const CLOSE_REPORT_MS = 1_000;
const CLOSE_FOR_MS = 30_000;

/** How often a Sherlock or a library tells what it has counted. Times are of a clock that only goes forward. */
export class ReportPace {
  #closeUntilMs = Number.NEGATIVE_INFINITY;

  /** Routes have changed. */
  changed(nowMs: number): void {
    this.#closeUntilMs = nowMs + CLOSE_FOR_MS;
  }

  /** How long after one report the next is due. */
  waitMs(nowMs: number): number {
    return nowMs < this.#closeUntilMs ? CLOSE_REPORT_MS : REPORT_MS;
  }
}
