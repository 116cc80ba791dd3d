import { type RefObject, useEffect } from "react";

/**
 * What is to be brought into view and given the focus, by its key, which outlives another answer; anew each time it is
 * another object.
 */
export type Goal = {
  readonly key: string;
  /** Which of all that failed. */
  readonly nth: number;
} | null;

/** A second or so: a row that is not drawn by then will not be. */
const FRAMES_MAX = 60;

interface GoalOptions<Row> {
  /** All rows of the table, drawn or not. */
  readonly rows: readonly Row[];
  keyOf(row: Row): string;
  readonly body: RefObject<HTMLElement | null>;
  reveal(index: number): void;
  /** Shows a row that is folded away; left out where none is. */
  unfold?(key: string): void;
}

/** Goes to the row of a goal, where the table has it. */
export function useGoal<Row>(goal: Goal, { rows, keyOf, body, reveal, unfold }: GoalOptions<Row>): void {
  const index = goal === null ? -1 : rows.findIndex((row) => keyOf(row) === goal.key);
  useEffect(() => {
    if (goal === null) return;
    if (index < 0) return unfold?.(goal.key);
    let frame = 0;
    let left = FRAMES_MAX;
    // What is not in view is drawn once the page has been scrolled, and where it stands is known once what is above it is.
    const go = (): void => {
      if (enter(body.current, index)) return;
      reveal(index);
      if (left-- > 0) frame = requestAnimationFrame(go);
    };
    go();
    return () => cancelAnimationFrame(frame);
    // What it is done by is made anew with each drawing; only another goal, or its place, is a reason to go there.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [goal, index]);
}

/** @returns whether the row is drawn. */
function enter(body: HTMLElement | null, index: number): boolean {
  const row = body?.querySelector<HTMLElement>(`tr[aria-rowindex="${index + 2}"]`) ?? null;
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "center" });
  return row !== null;
}
